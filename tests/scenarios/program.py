"""A program that uses the product over REST."""

import json
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from tests.serving import Serving
from tests.waiting import PATIENCE

T = TypeVar("T")


class Program:
    """Calls `/api/v1` with a key of the demo administrator. Every method raises `AssertionError` with a refusal's body."""

    def __init__(self, serving: Serving) -> None:
        self._address = f"{serving.address.rstrip('/')}/api/v1"
        self._key = serving.manage("create_api_key", "--user", "admin", "--name", f"scenario {time.time_ns()}", "--quiet").strip()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._address}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from None
        return json.loads(text) if text else None

    def start(self, function: str, event: Any, **more: Any) -> str:
        """The id of the new execution."""
        return str(self.call("POST", "/executions", {"function": function, "input": event, **more})["id"])

    def execution(self, execution_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/executions/{execution_id}"))

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        answer = self.call("GET", path)
        found = list(answer["results"])
        while answer["next"]:
            answer = self.call("GET", answer["next"].partition("/api/v1")[2])
            found += answer["results"]
        return found

    def pending_callback(self, execution_id: str, name: str) -> str:
        """Waits until the execution waits for this callback; its id."""

        def find() -> str | None:
            pending = self.everything(f"/callbacks?status=pending&execution={execution_id}")
            return next((str(item["callback_id"]) for item in pending if item["name"] == name), None)

        return wait_for(find, f"callback {name} of {execution_id}")

    def succeed(self, callback_id: str, result: Any) -> None:
        self.call("POST", f"/callbacks/{callback_id}/succeed", {"result": result})

    def moment_of(self, execution_id: str, event_type: str) -> datetime:
        """When the first event of this type happened."""
        events = self.call("GET", f"/executions/{execution_id}/history")["results"]
        return datetime.fromisoformat(next(event["EventTimestamp"] for event in events if event["EventType"] == event_type))

    def end_of(self, execution_id: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Waits for a terminal status; the whole execution."""

        def find() -> dict[str, Any] | None:
            execution = self.execution(execution_id)
            return None if execution["status"] == "RUNNING" else execution

        return wait_for(find, f"the end of {execution_id}", seconds)


def ledger(serving: Serving) -> dict[str, list[float]]:
    """Every amount that was paid, by expense."""
    rows = "[[payment.expense_id, float(payment.amount)] for payment in Payment.objects.all()]"
    question = f"import json; from durable_ops.examples.models import Payment; print(json.dumps({rows}))"
    paid: dict[str, list[float]] = defaultdict(list)
    for expense_id, amount in json.loads(serving.manage("shell", "--no-imports", "-c", question).strip().splitlines()[-1]):
        paid[expense_id].append(amount)
    return paid


def wait_for(find: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """The first answer that is not None, asked for every 50 ms."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s still waiting for {what}")
