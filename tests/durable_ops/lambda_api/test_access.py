"""Who may make which call: every role, and people and keys whose rights hold for some functions only."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import resolve

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor
from durable_ops.actions.api_keys import KeyLimits
from durable_ops.lambda_api import urls
from durable_ops.models import Right
from execution_engine.models import Execution, Operation
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import ROLE_NAMES, bearer, make_limited, make_user

EXECUTION, CALLBACK = "/2025-12-01/durable-executions/{arn}", "/2025-12-01/durable-execution-callbacks/{callback}"
EVENT = {"HTTP_X_AMZ_INVOCATION_TYPE": "Event"}
CALLS: dict[str, tuple[str, str, dict[str, str]]] = {
    "Invoke, Event": ("POST", "/2015-03-31/functions/{function}/invocations", EVENT),
    "Invoke, DryRun": ("POST", "/2015-03-31/functions/{function}/invocations", {"HTTP_X_AMZ_INVOCATION_TYPE": "DryRun"}),
    "GetDurableExecution": ("GET", EXECUTION, {}),
    "GetDurableExecutionHistory": ("GET", EXECUTION + "/history", {}),
    "ListDurableExecutionsByFunction": ("GET", "/2025-12-01/functions/{function}/durable-executions", {}),
    "SendDurableExecutionCallbackHeartbeat": ("POST", CALLBACK + "/heartbeat", {}),
    "SendDurableExecutionCallbackSuccess": ("POST", CALLBACK + "/succeed", {}),
    "SendDurableExecutionCallbackFailure": ("POST", CALLBACK + "/fail", {}),
    "PauseDurableExecution": ("POST", EXECUTION + "/pause", {}),
    "ResumeDurableExecution": ("POST", EXECUTION + "/resume", {}),
    "StopDurableExecution": ("POST", EXECUTION + "/stop", {}),
    "DeleteDurableExecution": ("DELETE", EXECUTION, {}),
    "CheckpointDurableExecution": ("POST", EXECUTION + "/checkpoint", {}),
    "GetDurableExecutionState": ("GET", EXECUTION + "/state?CheckpointToken=x", {}),
}
READS = {"GetDurableExecution", "GetDurableExecutionHistory", "ListDurableExecutionsByFunction"}
OPERATES = READS | {"Invoke, Event", "Invoke, DryRun", "PauseDurableExecution", "ResumeDurableExecution", "StopDurableExecution"}
MAY: dict[str, set[str]] = {
    "viewer": READS,
    "operator": OPERATES,
    "approver": READS,
    "administrator": set(CALLS),
    "superuser": set(CALLS),
    "nobody": set(),
}


@pytest.fixture
def places(db: None) -> dict[str, str]:
    """What the addresses name: an execution of `pay-out` and its callback."""
    register_function("pay-out")
    client = Client(headers=bearer(make_user("superuser", "starter")))
    answer = client.post("/2015-03-31/functions/pay-out/invocations", "1", content_type="application/json", **EVENT)
    execution_id = UUID(answer.headers["X-Amz-Durable-Execution-Arn"].rpartition("/")[2])
    return {
        "arn": answer.headers["X-Amz-Durable-Execution-Arn"],
        "function": "pay-out",
        "callback": open_callback(execution_id, heartbeat=60),
    }


def answers(headers: dict[str, str], places: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Status and error type of every call, in an order in which each finds what it needs as long as it is allowed."""
    client, found = Client(headers=headers), {}
    for call, (method, address, more) in CALLS.items():
        answer = client.generic(method, address.format(**places), b"", content_type="application/json", **more)
        found[call] = (answer.status_code, answer.headers.get("x-amzn-ErrorType", ""))
        assert answer.status_code < 500, (call, answer.content)
    return found


def test_every_address_is_asked() -> None:
    sample = {"arn": "arn", "function": "f", "callback": "c"}
    asked = {resolve(address.format(**sample).partition("?")[0]).url_name for _, address, _ in CALLS.values()}
    assert asked == {pattern.name for pattern in urls.urlpatterns} - {"unknown"}


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_role_at_every_call(places: dict[str, str], role: str) -> None:
    found = answers(bearer(make_user(role)), places)
    refused = {call for call, (status, kind) in found.items() if (status, kind) == (403, "AccessDeniedException")}
    assert set(CALLS) - refused == MAY[role]


def test_a_foreign_function_is_not_there(places: dict[str, str]) -> None:
    before = state()
    for role in ("operator", "administrator"):
        limited = make_limited(role, "mail-*")
        found = answers(bearer(limited), places)
        allowed = {call: answer for call, answer in found.items() if call in MAY[role]}
        machine = {"CheckpointDurableExecution", "GetDurableExecutionState"}  # their service model has no 404
        assert {call for call, answer in allowed.items() if answer != (404, "ResourceNotFoundException")} <= machine
        assert {allowed[call][0] for call in machine & set(allowed)} <= {400}
    assert state() == before


def test_an_own_function_is(places: dict[str, str]) -> None:
    found = answers(bearer(make_limited("operator", "pay-*")), places)
    assert {call for call, (status, _) in found.items() if status < 300} == OPERATES


def test_a_key_has_its_scopes_only(places: dict[str, str]) -> None:
    user = make_user("administrator")
    limits = KeyLimits(scopes=[Right.START_EXECUTION.value], functions=["pay-*"])
    key = api_keys.create_key(Actor(user=user), user=user, name="starts", limits=limits).secret
    found = answers({"Authorization": f"Bearer {key}"}, places)
    assert {call for call, (status, _) in found.items() if status < 300} == {"Invoke, Event", "Invoke, DryRun"}
    waits = Client(headers={"Authorization": f"Bearer {key}"}).post(
        "/2015-03-31/functions/pay-out/invocations", "2", content_type="application/json"
    )
    assert (waits.status_code, json.loads(waits.content)["Message"].partition(":")[0]) == (403, "You need the right 'view_payload'")


def state() -> Any:
    return list(Execution.objects.values_list("id", "status", "event_seq")), list(Operation.objects.values_list("id", "status", "due_at"))
