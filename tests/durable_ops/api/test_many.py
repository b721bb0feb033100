"""Many executions at once: starting them, and the whole list as a file."""

import csv
import io
import json
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from durable_ops.actions.many_starts import MOST
from durable_ops.models import AuditEntry
from durable_ops.selectors import exports
from execution_engine.conf import engine_settings
from execution_engine.models import Execution
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user


def start_many(door: Door, *bodies: dict[str, Any]) -> dict[str, Any]:
    answer = door.post("/executions/many", {"executions": [{"function": "echo", **body} for body in bodies]})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_each_has_its_own_answer_in_order(admin: Door) -> None:
    admin.start(name="there", input={"a": 1})
    big = "x" * (engine_settings().MAX_PAYLOAD_BYTES - 1)
    found = start_many(
        admin,
        {"name": "new", "input": 1, "attributes": {"customer": 42}},
        {"name": "there", "input": {"a": 1}},
        {"name": "there", "input": {"a": 2}},
        {"function": "nobody"},
        {"input": None},
        {"name": "new", "input": 1, "attributes": {"customer": 42}},
        {"name": "bad name"},
        {"input": big},
    )
    assert [one["status"] for one in found["results"]] == [201, 200, 409, 404, 201, 200, 400, 413]
    assert [one["problem"] and one["problem"]["code"] for one in found["results"]] == [
        None, None, "execution_already_started", "function_not_found", None, None, "invalid_input", "payload_too_large",
    ]  # fmt: skip
    assert (found["started"], found["existing"], found["refused"]) == (2, 2, 4)
    assert found["results"][0]["id"] == found["results"][5]["id"]
    assert Execution.objects.count() == 3
    assert Execution.objects.get(name="new").attributes == {"customer": 42}
    assert AuditEntry.objects.filter(action="execution.start").count() == 3


def test_a_hundred_alike_cost_as_many_queries_as_two(admin: Door) -> None:
    start_many(admin, {})
    numbers = []
    for count in (2, 100):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert start_many(admin, *[{"input": place} for place in range(count)])["started"] == count
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 12, [query["sql"][:80] for query in queries]


def test_beyond_the_limit_nothing_is_started(admin: Door) -> None:
    body = {"executions": [{"function": "echo"}] * (MOST + 1)}
    assert "executions" in refusal(admin.post("/executions/many", body), 400, "invalid_input")["errors"]
    refusal(admin.post("/executions/many", {"executions": []}), 400, "invalid_input")
    assert Execution.objects.count() == 0


def test_export_is_the_list(admin: Door) -> None:
    for number in range(3):
        admin.start(name=f"n-{number}", attributes={"customer": number})
    admin.start(name="=1+1".replace("=", "f-").replace("+", "-"))
    answer = admin.get("/executions/export", {"q": "n-"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(read(answer).removeprefix("\ufeff"))))
    assert [row["name"] for row in rows] == ["n-2", "n-1", "n-0"]
    answer = admin.get("/executions/export", {"format": "jsonl", "attribute": "customer=1"})
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in read(answer).splitlines()]
    assert [(line["name"], line["attributes"]) for line in lines] == [("n-1", {"customer": 1})]
    assert set(lines[0]) == set(exports.COLUMNS)
    refusal(admin.get("/executions/export", {"format": "xml"}), 400, "invalid_input")
    refusal(admin.get("/executions/export", {"status": "GONE"}), 400, "invalid_input")


def test_export_reads_page_by_page(admin: Door, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "MAX_PAGE", 2)
    start_many(admin, *[{}] * 5)
    answer = admin.get("/executions/export", {"format": "jsonl"})
    parts = iter(answer.streaming_content)
    next(parts)
    with CaptureQueriesContext(connection) as queries:
        next(parts)
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        next(parts)
    assert len([query for query in queries if "durable_execution" in query["sql"]]) == 1
    assert len(list(parts)) == 2


def test_the_other_reads_answer(admin: Door) -> None:
    started = admin.start()
    timeline = admin.get(f"/executions/{started['id']}/timeline").json()
    assert (timeline["is_open"], timeline["results"], set(timeline["totals"])) == (True, [], {"queued", "running", "waiting", "retry_wait"})
    register_function("other")
    function = admin.get("/functions/other").json()
    assert (function["versions"][0]["version"], function["versions"][0]["stats"]["started"]) == ("1", 0)
    refusal(admin.get("/functions/nobody"), 404, "function_not_found")
    entry = admin.get("/audit", {"execution": started["id"]}).json()["results"][0]
    assert (entry["action"], entry["channel"], entry["execution"]) == ("execution.start", "rest", started["id"])
    assert admin.get(f"/audit/{entry['id']}").json() == entry
    assert admin.get("/audit", {"action": "execution.", "q": "anna", "since": "2020-01-01", "limit": 1}).json()["results"] == [entry]
    refusal(admin.get("/audit/999999"), 404, "not_found")
    refusal(Door(make_user("approver")).get("/audit"), 403, "permission_denied")
    assert admin.get("/health").json() == {"status": "unavailable", "web": True, "database": True, "workers": 0, "live": []}


def read(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()
