"""Batches over REST, and the filters that they share with the list."""

import json
from typing import Any
from uuid import uuid4

import pytest

from durable_ops.actions import batch_work
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.people import make_user
from tests.factories import ago, make_event, make_execution, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> Door:
    return Door(make_user("operator"))


@pytest.fixture
def failed(db: None) -> list[str]:
    version, ids = make_version(), []
    for number in range(2):
        execution = make_execution(version, name=f"bad-{number}", status="FAILED", ended_at=ago(seconds=9), event_seq=2)
        make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
        make_event(execution, 2, "ExecutionFailed", ago(seconds=9))
        ids.append(str(execution.id))
    return ids


def test_batch_with_a_reason_begins_at_once(operator: Any, failed: list[str]) -> None:
    answer = operator.post("/batches", {"action": "redrive", "ids": [*failed, str(uuid4())], "reason": "again"})
    batch = answer.json()
    assert (answer.status_code, batch["status"], batch["total"], batch["counts"]["pending"]) == (201, "running", 3, 3)
    while batch_work.work():
        pass
    batch = operator.get(f"/batches/{batch['id']}").json()
    assert (batch["status"], batch["counts"]["done"], batch["counts"]["failed"]) == ("done", 2, 1)
    bad = operator.get(f"/batches/{batch['id']}/items?outcome=failed").json()["results"]
    assert [item["code"] for item in bad] == ["execution_not_found"]
    assert operator.get("/batches").json()["results"][0]["id"] == batch["id"]


def test_draft_is_confirmed_aborted_and_retried(operator: Any, failed: list[str]) -> None:
    draft = operator.post("/batches", {"action": "redrive", "filters": {"status": "FAILED"}}).json()
    assert (draft["status"], [item["name"] for item in draft["sample"]], draft["filters"]) == ("draft", ["bad-1", "bad-0"], "status=FAILED")
    assert operator.get("/batches").json()["results"] == []
    address = f"/batches/{draft['id']}"
    assert operator.post(f"{address}/confirm", {}).json()["code"] == "invalid_input"
    assert operator.post(f"{address}/confirm", {"reason": "again"}).json()["status"] == "running"
    assert operator.post(f"{address}/abort", {}).json()["counts"]["skipped"] == 2
    again = operator.post(f"{address}/retry", {"reason": "after all"})
    assert (again.status_code, again.json()["retry_of"]) == (201, draft["id"])
    refused = operator.post(f"{address}/abort", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_state")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "explode", "ids": [str(uuid4())]},
        {"action": "stop"},
        {"action": "stop", "ids": ["1"]},
        {"action": "stop", "ids": [str(uuid4())], "filters": {"q": "a"}},
        {"action": "stop", "filters": {"started_from": "yesterday"}},
        {"action": "stop", "filters": {"colour": "red"}},
        {"action": "stop", "filters": {"q": ""}},
        {"action": "stop", "filters": [1]},
    ],
)
def test_bad_bodies_are_refused(operator: Any, body: dict[str, Any]) -> None:
    answer = operator.post("/batches", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_export_is_read_in_the_background_and_sent_as_a_file(operator: Any, failed: list[str]) -> None:
    batch = operator.post("/batches", {"action": "export", "ids": failed, "reason": "for the auditors"}).json()
    address = f"/batches/{batch['id']}/export"
    early = operator.get(address)
    assert (early.status_code, early.json()["code"]) == (409, "batch_state")
    while batch_work.work():
        pass
    lines = b"".join(operator.get(f"{address}?format=jsonl")).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == failed
    answer = operator.get(address)
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "text/csv; charset=utf-8",
        f'attachment; filename="batch-{batch["id"]}.csv"',
    )
    assert operator.get(f"{address}?format=xml").json()["code"] == "invalid_input"


def test_move_says_where_to(operator: Any, failed: list[str]) -> None:
    refused = operator.post("/batches", {"action": "move", "ids": failed, "reason": "on"})
    assert (refused.status_code, refused.json()["field"]) == (400, "version")
    draft = operator.post("/batches", {"action": "move", "ids": failed, "version": "1"}).json()
    assert (draft["status"], draft["to_version"]) == ("draft", "1")
    assert operator.post(f"/batches/{draft['id']}/confirm", {"reason": "on", "version": "9"}).json()["field"] == "version"
    assert operator.post(f"/batches/{draft['id']}/confirm", {"reason": "on"}).json()["status"] == "running"


def test_rights_are_those_of_the_act(operator: Any, failed: list[str]) -> None:
    assert operator.post("/batches", {"action": "delete", "ids": failed}).status_code == 403
    assert operator.get("/batches/99999").json()["code"] == "batch_not_found"


@pytest.mark.parametrize(
    ("query", "names"), [("error=x", []), ("q=bad-1", ["bad-1"]), ("longer=1s&origin=redriven", []), ("ended_from=1h", 2)]
)
def test_list_takes_the_same_filters(operator: Any, failed: list[str], query: str, names: Any) -> None:
    found = [item["name"] for item in operator.get(f"/executions?{query}").json()["results"]]
    assert (found if isinstance(names, list) else len(found)) == names


@pytest.mark.parametrize(
    "query", ["started_from=yesterday", "longer=x", "attribute=a", "origin=heaven", "callback=maybe", "q=" + "a" * 501]
)
def test_bad_filters_are_refused(operator: Any, query: str) -> None:
    answer = operator.get(f"/executions?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
