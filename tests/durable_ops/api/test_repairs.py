import json
from typing import Any

import pytest

from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import open_callback
from tests.durable_ops.people import make_user


@pytest.fixture
def path(admin: Door) -> str:
    return f"/executions/{admin.start(input=1)['id']}"


def acts() -> list[tuple[str, str]]:
    repairs = ["execution.pause", "execution.resume", "execution.redrive", "execution.delete"]
    return list(AuditEntry.objects.filter(action__in=repairs).order_by("id").values_list("action", "reason"))


def test_pause_and_resume(admin: Door, path: str) -> None:
    paused = admin.post(f"{path}/pause", {"reason": "incident"}).json()
    assert (paused["status"], paused["state"]) == ("PAUSED", "paused")
    assert admin.post(f"{path}/resume", {"reason": "over"}).json()["status"] == "RUNNING"
    refusal(admin.post(f"{path}/resume"), 409, "execution_not_paused")
    assert acts() == [("execution.pause", "incident"), ("execution.resume", "over")]
    kinds = [e["EventType"] for e in admin.get(f"{path}/history").json()["results"]]
    assert kinds == ["ExecutionStarted", "ExecutionPaused", "ExecutionResumed"]


def test_redrive_with_its_plan(admin: Door, path: str) -> None:
    callback_id = open_callback(uuid_of({"id": path.rpartition("/")[2]}), "manager", timeout=60)
    refusal(admin.get(f"{path}/redrive"), 409, "execution_not_ended")
    admin.post(f"{path}/stop")
    plan = admin.get(f"{path}/redrive").json()
    assert [(one["name"], one["status"]) for one in plan["rearmed"]] == [("manager", "STARTED")]
    body = admin.post(f"{path}/redrive", {"reason": "fixed"}).json()
    assert (body["status"], body["error"], body["ended_at"]) == ("RUNNING", None, None)
    assert admin.post(f"/callbacks/{callback_id}/succeed", {"result": 1}).status_code == 200
    assert acts() == [("execution.redrive", "fixed")]
    assert "ExecutionRedriven" in str(admin.get(f"{path}/history").json())


def test_redrive_with_another_input_needs_its_own_right(admin: Door, path: str) -> None:
    admin.post(f"{path}/stop")
    operator = Door(make_user("operator"))
    problem = refusal(operator.post(f"{path}/redrive", {"input": 2}), 403, "permission_denied")
    assert problem["right"] == "replace_value"
    assert Execution.objects.get().status == "STOPPED"
    assert admin.post(f"{path}/redrive", {"input": {"a": 2}}).json()["input"] == {"a": 2}
    admin.post(f"{path}/stop")
    assert operator.post(f"{path}/redrive").json()["status"] == "RUNNING"


def test_a_plan_with_values_changes_nothing(admin: Door, path: str) -> None:
    admin.post(f"{path}/stop")
    before = Execution.objects.values().get()
    plain = admin.get(f"{path}/redrive").json()
    assert admin.post(f"{path}/redrive/plan").json() == plain
    assert admin.post(f"{path}/redrive/plan", {"input": {"a": 2}}).json()["verdict"]
    assert admin.post(f"{path}/fork/plan", {"input": {"a": 2}}).json()["verdict"]
    operator = Door(make_user("operator"))
    for route in ("redrive", "fork"):
        assert refusal(operator.post(f"{path}/{route}/plan", {"input": 2}), 403, "permission_denied")["right"] == "replace_value"
    assert Execution.objects.values().get() == before


def test_fork(admin: Door, path: str) -> None:
    answer = admin.post(f"{path}/fork", {"name": "copy", "reason": "try again"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["input"], body["status"], body["started_by"]) == ("copy", 1, "RUNNING", "anna (key tests)")
    act = AuditEntry.objects.get(action="execution.fork")
    assert (act.object_id, act.reason, act.facts["forked_from"]) == (body["id"], "try again", path.rpartition("/")[2])
    refusal(admin.post(f"{path}/fork", {"name": "copy"}), 409, "execution_already_started")
    refusal(admin.post(f"{path}/fork", {"version": "99"}), 404, "function_not_found")
    operator = Door(make_user("operator"))
    assert refusal(operator.post(f"{path}/fork", {"input": 2}), 403, "permission_denied")["right"] == "replace_value"
    assert operator.post(f"{path}/fork").status_code == 201


def test_delete(admin: Door, path: str) -> None:
    refusal(admin.client.delete(f"/api/v1{path}"), 409, "execution_not_ended")
    admin.post(f"{path}/stop")
    assert admin.client.delete(f"/api/v1{path}?reason=test+data").status_code == 204
    refusal(admin.get(path), 404, "execution_not_found")
    refusal(admin.client.delete(f"/api/v1{path}"), 404, "execution_not_found")
    assert acts()[-1] == ("execution.delete", "test data")


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("pause", {"reason": 1}),
        ("pause", {"pause_timeout": "perhaps"}),
        ("pause", {"until": "tomorrow"}),
        ("resume", {"x": 1}),
        ("redrive", {"from_operation": "nobody"}),
        ("redrive", {"result": 1}),
        ("redrive", {"version": "2"}),
        ("redrive", []),
    ],
)
def test_wrong_bodies_are_400_and_change_nothing(admin: Door, path: str, route: str, body: Any) -> None:
    if route == "redrive":
        admin.post(f"{path}/stop")
    before = Execution.objects.values().get()
    refusal(admin.raw(f"{path}/{route}", json.dumps(body).encode()), 400, "invalid_input")
    assert Execution.objects.values().get() == before
