"""One requirement, played over REST and judged."""

import json
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.outside.laws import broken_laws
from tests.conformance.outside.lines import captured, log_differences
from tests.conformance.outside.matching import filled, history_differences, made_variables
from tests.conformance.product import ENDED, Product

VERBS = {"success": "succeed", "failure": "fail", "heartbeat": "heartbeat"}
LOG_SECONDS = 1.0  # captured lines are written in bulk


@dataclass
class Trial:
    """`errors` says what did not fit. A requirement without an expected result is judged while it runs, then stopped."""

    requirement: str
    described: dict[str, Any]
    errors: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    execution: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_file(cls, path: Path) -> "Trial":
        return cls(path.stem, yaml.safe_load(path.read_text()))

    def run(self, product: Product, function: str, output: Path, seconds: float) -> "Trial":
        self._names = made_variables(self.described.get("Variables"))
        try:
            self._play(product, function, seconds)
            self.errors += self._judge(output)
        except urllib.error.HTTPError as error:
            self.errors.append(f"{error.url}: {error.code} {error.read().decode(errors='replace')[:300]}")
        return self

    @property
    def has_ended(self) -> bool:
        return self.execution.get("status") in ENDED

    def _play(self, product: Product, function: str, seconds: float) -> None:
        body = {"function": function, "input": filled(self.described.get("Input"), self._names)}
        self.execution = product.call("POST", "/executions", body)
        path = f"/executions/{self.execution['id']}"
        actions = list(self.described.get("CallbackActions") or ())
        due: list[tuple[float, str, dict[str, Any]]] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.has_ended and not self._is_shown():
            self._choose(actions, due)
            self._answer(product, due)
            time.sleep(0.1)
            self.events = _history(product, path)
            self.execution = product.call("GET", path)
        if actions or due:
            self.errors.append(f"{len(actions) + len(due)} callback actions were not possible")
        self.events = _history(product, path)
        if not self.has_ended:
            product.call("POST", f"{path}/stop", {})

    def _is_shown(self) -> bool:
        if "ExpectedResult" in self.described or not self.events:
            return False
        return not list(history_differences(self.described["ExpectedExecutionHistory"], self.events, dict(self._names)))

    def _choose(self, actions: list[dict[str, Any]], due: list[tuple[float, str, dict[str, Any]]]) -> None:
        """Gives each open callback the first action that names it, one at a time."""
        answered = {
            event["Id"] for event in self.events if event["EventType"] in ("CallbackSucceeded", "CallbackFailed", "CallbackTimedOut")
        }
        for event in self.events:
            if event["EventType"] != "CallbackStarted" or event["Id"] in answered:
                continue
            callback = event["CallbackStartedDetails"]["CallbackId"]
            name = event.get("Name", "")
            fitting = (one for one in actions if filled(one["CallbackName"], self._names) in ("*", name))
            action = None if any(callback == other for _, other, _ in due) else next(fitting, None)
            if action is not None:
                actions.remove(action)
                due.append((time.monotonic() + float(action.get("Delay", 0)), callback, action))

    def _answer(self, product: Product, due: list[tuple[float, str, dict[str, Any]]]) -> None:
        for entry in [one for one in due if one[0] <= time.monotonic()]:
            due.remove(entry)
            _, callback, action = entry
            verb, payload = VERBS[action["Operation"]], filled(action.get("Payload"), self._names)
            body = {"error": payload or {}} if verb == "fail" else {} if verb == "heartbeat" or payload is None else {"result": payload}
            product.call("POST", f"/callbacks/{callback}/{verb}", body)

    def _judge(self, output: Path) -> Iterator[str]:
        yield from history_differences(self.described["ExpectedExecutionHistory"], self.events, self._names)
        yield from broken_laws(self.events, has_ended=self.has_ended)
        yield from self._result_differences()
        if checks := self.described.get("ExpectedLogs"):
            time.sleep(LOG_SECONDS)
            yield from log_differences(checks, captured(output, self.execution["arn"]), self._names)

    def _result_differences(self) -> Iterator[str]:
        expected = self.described.get("ExpectedResult") or {}
        status, found = expected.get("ExecutionStatus"), self.execution.get("status")
        if status is not None and found != status:
            yield f"{found}, not {status}: {self.execution.get('error')}"
        elif status == "SUCCEEDED" and "Result" in expected:
            wanted, result = filled(expected["Result"], self._names), self.execution.get("result")
            if wanted not in (result, _decoded(result)):
                yield f"result {result!r}, not {wanted!r}"


def _decoded(result: Any) -> Any:
    try:
        return json.loads(result) if isinstance(result, str) else result
    except ValueError:
        return result


def _history(product: Product, path: str) -> list[dict[str, Any]]:
    page = product.call("GET", f"{path}/history")
    events: list[dict[str, Any]] = page["results"]
    while page["next"]:
        page = product.call("GET", page["next"].partition("/api/v1")[2])
        events += page["results"]
    return events
