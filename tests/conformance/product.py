"""The running product as a program meets it: REST only."""

import json
import time
import urllib.request
from typing import Any

from tests.conformance.scenarios import Answer, Heartbeat, Scenario

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")


class Product:
    def __init__(self, address: str, key: str) -> None:
        self._base = f"{address.rstrip('/')}/api/v1"
        self._key = key

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def start(self, scenario: Scenario, input: Any) -> "Started":
        body = {"function": scenario.name} | ({} if input is None else {"input": input})
        return Started(self, scenario, self.call("POST", "/executions", body)["id"])


class Started:
    """One execution of a scenario; `go_on` does what can be done now and never waits, so that many run side by side."""

    def __init__(self, product: Product, scenario: Scenario, execution_id: str) -> None:
        self._product = product
        self._steps = list(scenario.steps)
        self._id = execution_id
        self.scenario = scenario
        self.execution: dict[str, Any] = {}

    @property
    def has_ended(self) -> bool:
        return self.execution.get("status") in ENDED

    def go_on(self) -> None:
        """Answers a callback once the invocation that made it has ended, as people do."""
        if self._steps:
            events = self.events()
            pending = self._product.call("GET", f"/callbacks?status=pending&execution={self._id}")["results"]
            found = [one["callback_id"] for one in pending if one["name"] == self._steps[0].callback]
            if found and events[-1]["EventType"] == "InvocationCompleted":
                self._answer(found[0], self._steps.pop(0))
        self.execution = self._product.call("GET", f"/executions/{self._id}")

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._product.call("GET", f"/executions/{self._id}/history")["results"]
        return found

    def _answer(self, callback_id: str, step: Answer | Heartbeat) -> None:
        path = f"/callbacks/{callback_id}"
        if isinstance(step, Heartbeat):
            self._product.call("POST", f"{path}/heartbeat", {})
        elif step.error is not None:
            self._product.call("POST", f"{path}/fail", {"error": {"ErrorType": "Refused", "ErrorMessage": step.error}})
        else:
            self._product.call("POST", f"{path}/succeed", {} if step.value is None else {"result": step.value})


def run_side_by_side(started: list[Started], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not all(one.has_ended for one in started):
        assert time.monotonic() < deadline, [(one.scenario.name, one.execution.get("status")) for one in started if not one.has_ended]
        for one in started:
            if not one.has_ended:
                one.go_on()
        time.sleep(0.1)
