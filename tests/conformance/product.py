"""The running product as a program meets it: REST only."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.conformance.scenario import Answer, Scenario, Step, Stop
from tests.waiting import PATIENCE

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")


class Product:
    def __init__(self, address: str, key: str) -> None:
        self._base = f"{address.rstrip('/')}/api/v1"
        self._key = key

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")

    def start(self, scenario: Scenario, function: str, marker: Path | None = None) -> "Started":
        """`marker` is the input of functions that need a file: to die only once, or to wait for it."""
        given = scenario.input if marker is None else str(marker)
        body = {"function": function} | ({} if given is None else {"input": given})
        return Started(self, scenario, self.call("POST", "/executions", body)["id"], marker)


class Started:
    """One execution of a scenario; `go_on` does what can be done now and never waits, so that many run side by side."""

    def __init__(self, product: Product, scenario: Scenario, execution_id: str, marker: Path | None) -> None:
        self._product = product
        self._steps = list(scenario.steps)
        self._id = execution_id
        self._marker = marker
        self.scenario = scenario
        self.execution: dict[str, Any] = {}

    @property
    def has_ended(self) -> bool:
        return self.execution.get("status") in ENDED

    def go_on(self) -> None:
        if self._steps and self._take(self._steps[0]):
            self._steps.pop(0)
            if self.scenario.while_running and self._marker is not None:
                self._marker.touch()
        self.execution = self._product.call("GET", f"/executions/{self._id}")

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._product.call("GET", f"/executions/{self._id}/history")["results"]
        return found

    def _take(self, step: Step) -> bool:
        """Does it if it can be done now: once an invocation has ended, or while one runs a step."""
        last = self.events()[-1]["EventType"]
        if last != ("StepStarted" if self.scenario.while_running else "InvocationCompleted"):
            return False
        if isinstance(step, Stop):
            self._product.call("POST", f"/executions/{self._id}/stop", {"error": {"ErrorType": "ByHand", "ErrorMessage": step.error}})
            return True
        pending = self._product.call("GET", f"/callbacks?status=pending&execution={self._id}")["results"]
        callback_id = next((one["callback_id"] for one in pending if one["name"] == step.callback), None)
        if callback_id is not None:
            self._product.call("POST", f"/callbacks/{callback_id}/{_verb(step)}", _body(step))
        return callback_id is not None


def _verb(step: Step) -> str:
    if isinstance(step, Answer):
        return "succeed" if step.error is None else "fail"
    return "heartbeat"


def _body(step: Step) -> dict[str, Any]:
    if not isinstance(step, Answer):
        return {}
    if step.error is not None:
        return {"error": {"ErrorType": "Refused", "ErrorMessage": step.error}}
    return {} if step.value is None else {"result": step.value}


def run_side_by_side(started: list[Started], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not all(one.has_ended for one in started):
        assert time.monotonic() < deadline, [(one.scenario.name, one.execution.get("status")) for one in started if not one.has_ended]
        for one in started:
            if not one.has_ended:
                one.go_on()
        time.sleep(0.1)
