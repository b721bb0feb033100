"""Role x route, generated from the URL table: a new route without a row fails here."""

import json
from typing import Any

import pytest
from django.test import Client

from durable_ops.api import urls
from durable_ops.models import Right
from durable_ops.roles import ROLES
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import open_callback
from tests.durable_ops.people import ROLE_NAMES, make_user

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
# Route by name: the right of each method it answers. What stands here is what people were promised.
# None: any key at the door; the action asks, for a plain callback as `AT_THE_ACTION` says, for an approval its policy.
EXPECTED: dict[str, dict[str, Right | None]] = {
    "executions": {"GET": Right.VIEW_EXECUTION, "POST": Right.START_EXECUTION},
    "start-many": {"POST": Right.START_EXECUTION},
    "export": {"GET": Right.VIEW_EXECUTION},
    "timeline": {"GET": Right.VIEW_EXECUTION},
    "function": {"GET": Right.VIEW_EXECUTION},
    "audit": {"GET": Right.VIEW_AUDIT},
    "audit-entry": {"GET": Right.VIEW_AUDIT},
    "health": {"GET": Right.VIEW_EXECUTION},
    "execution": {"GET": Right.VIEW_EXECUTION, "DELETE": Right.DELETE_EXECUTION},
    "explain": {"GET": Right.VIEW_EXECUTION},
    "logs": {"GET": Right.VIEW_PAYLOAD},
    "history": {"GET": Right.VIEW_EXECUTION},
    "operations": {"GET": Right.VIEW_EXECUTION},
    "stop": {"POST": Right.STOP_EXECUTION},
    "signal": {"POST": Right.SIGNAL_EXECUTION},
    "pause": {"POST": Right.PAUSE_EXECUTION},
    "resume": {"POST": Right.PAUSE_EXECUTION},
    "redrive": {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION},
    "redrive-plan": {"POST": Right.REDRIVE_EXECUTION},
    "fork": {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION},
    "fork-plan": {"POST": Right.REDRIVE_EXECUTION},
    "move": {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION},
    # Which right a batch needs depends on its act: the action asks.
    "batches": {"GET": Right.VIEW_EXECUTION, "POST": Right.VIEW_EXECUTION},
    "batch": {"GET": Right.VIEW_EXECUTION},
    "batch-items": {"GET": Right.VIEW_EXECUTION},
    "batch-export": {"GET": Right.VIEW_EXECUTION},
    "batch-confirm": {"POST": Right.VIEW_EXECUTION},
    "batch-abort": {"POST": Right.VIEW_EXECUTION},
    "batch-retry": {"POST": Right.VIEW_EXECUTION},
    "callbacks": {"GET": Right.VIEW_EXECUTION},
    "succeed": {"POST": None},
    "fail": {"POST": None},
    "heartbeat": {"POST": Right.ANSWER_CALLBACK},
    "approvals": {"GET": None},
    "approval": {"GET": None},
    "decide": {"POST": None},
    "claim": {"POST": None},
    "release": {"POST": None},
    "reassign": {"POST": None},
    "functions": {"GET": Right.VIEW_EXECUTION},
    "function-limits": {"GET": Right.VIEW_EXECUTION, "PUT": Right.MANAGE_LIMITS},
    "schedules": {"GET": Right.VIEW_EXECUTION, "POST": Right.MANAGE_SCHEDULES},
    "schedule": {"GET": Right.VIEW_EXECUTION, "PATCH": Right.MANAGE_SCHEDULES, "DELETE": Right.MANAGE_SCHEDULES},
    "schedule-preview": {"GET": Right.VIEW_EXECUTION},
    **{f"schedule-{act}": {"POST": Right.MANAGE_SCHEDULES} for act in ("pause", "resume", "trigger", "backfill")},
    "execution-cost": {"GET": Right.VIEW_EXECUTION},
    "costs": {"GET": Right.VIEW_EXECUTION},
    "audit-verify": {"GET": Right.VIEW_AUDIT},
    "alert-rules": {"GET": Right.MANAGE_WEBHOOKS, "POST": Right.MANAGE_WEBHOOKS},
    "alert-rule": {"GET": Right.MANAGE_WEBHOOKS, "PATCH": Right.MANAGE_WEBHOOKS, "DELETE": Right.MANAGE_WEBHOOKS},
    "alerts": {"GET": Right.MANAGE_WEBHOOKS},
    "webhooks": {"GET": Right.MANAGE_WEBHOOKS, "POST": Right.MANAGE_WEBHOOKS},
    "webhook": {"GET": Right.MANAGE_WEBHOOKS, "PATCH": Right.MANAGE_WEBHOOKS, "DELETE": Right.MANAGE_WEBHOOKS},
    "webhook-rotate": {"POST": Right.MANAGE_WEBHOOKS},
    "webhook-test": {"POST": Right.MANAGE_WEBHOOKS},
    "webhook-deliveries": {"GET": Right.MANAGE_WEBHOOKS},
    "redeliver": {"POST": Right.MANAGE_WEBHOOKS},
    "ask-redrive": {"POST": Right.REPLACE_VALUE},
    "redrive-requests": {"GET": Right.VIEW_EXECUTION},
    "redrive-request": {"GET": Right.VIEW_EXECUTION},
    "redrive-confirm": {"POST": Right.CONFIRM_REDRIVE},
    "redrive-reject": {"POST": Right.CONFIRM_REDRIVE},
    "redrive-withdraw": {"POST": Right.REPLACE_VALUE},
    "keys": {"GET": None, "POST": None},
    "key": {"GET": None},
    "key-rotate": {"POST": None},
    "key-revoke": {"POST": None},
    "schema": {"GET": Right.VIEW_EXECUTION},
}
AT_THE_ACTION = {"succeed": Right.ANSWER_CALLBACK, "fail": Right.ANSWER_CALLBACK}
OF_AN_EXECUTION = {"explain", "timeline", "logs", "history", "operations"}
OF_AN_EXECUTION |= {"signal", "stop", "pause", "resume", "redrive", "fork", "move"}
# Everybody has an inbox, and in it what concerns them, and their own keys; those of others are not there.
OWN = {"approvals", "keys", "key", "key-rotate", "key-revoke"}
PUBLIC = {"no-route"}
ROUTES = {str(pattern.name): pattern for pattern in urls.urlpatterns}


def test_every_route_has_a_row_and_asks_for_its_right() -> None:
    assert set(ROUTES) == set(EXPECTED) | PUBLIC
    assert {name: dict(ROUTES[name].callback.view_class.rights) for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_matrix_of_role_and_route(admin: Door, role: str) -> None:
    started = admin.start()
    callback_id = open_callback(uuid_of(started))
    door = Door(make_user(role))
    held = frozenset(Right) if role == "superuser" else ROLES.get(role, frozenset())
    wrong = {}
    for name, rights in EXPECTED.items():
        for method, right in rights.items():
            answer = ask(door.client, name, method, started["id"], callback_id)
            allowed = answer.status_code not in (401, 403)
            needed = right or AT_THE_ACTION.get(name)
            promised = name in OWN or (needed in held if needed is not None else Right.VIEW_EXECUTION in held)
            if allowed != promised or answer.status_code >= 500:
                wrong[name, method] = answer.status_code
    assert wrong == {}


def test_methods_without_a_row_are_refused(admin: Door) -> None:
    started = admin.start()
    callback_id = open_callback(uuid_of(started))
    for name, rights in EXPECTED.items():
        for method in set(METHODS) - set(rights):
            assert ask(admin.client, name, method, started["id"], callback_id).status_code == 405, (name, method)


@pytest.mark.parametrize("name", EXPECTED)
def test_without_a_key_every_route_is_401(db: None, name: str) -> None:
    for method in EXPECTED[name]:
        answer = ask(Client(), name, method, "00000000-0000-7000-8000-000000000000", "x")
        refusal(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_unknown_addresses_are_problem_documents(db: None) -> None:
    for path in ("/api/v1/", "/api/v1/nothing", "/api/v1/executions/", "/api/v1/executions/x/nothing"):
        for method in ("GET", "POST"):
            refusal(Client().generic(method, path), 404, "not_found")


def ask(client: Client, name: str, method: str, execution_id: str, callback_id: str) -> Any:
    paths = {
        "execution": f"executions/{execution_id}",
        **{one: f"executions/{execution_id}/{one}" for one in OF_AN_EXECUTION},
        **{f"{one}-plan": f"executions/{execution_id}/{one}/plan" for one in ("redrive", "fork")},
        "start-many": "executions/many",
        "export": "executions/export",
        "function": "functions/echo",
        "function-limits": "functions/echo/limits",
        "schedule": "schedules/1",
        **{f"schedule-{one}": f"schedules/1/{one}" for one in ("pause", "resume", "trigger", "backfill")},
        "schedule-preview": "schedules/preview",
        "audit-entry": "audit/1",
        "execution-cost": f"executions/{execution_id}/cost",
        **{one: f"callbacks/{callback_id}/{one}" for one in ("succeed", "fail", "heartbeat")},
        "ask-redrive": f"executions/{execution_id}/redrive-requests",
        "redrive-request": "redrive-requests/1",
        **{f"redrive-{one}": f"redrive-requests/1/{one}" for one in ("confirm", "reject", "withdraw")},
        "key": "keys/999999",
        **{f"key-{one}": f"keys/999999/{one}" for one in ("rotate", "revoke")},
        "batch": "batches/1",
        **{f"batch-{one}": f"batches/1/{one}" for one in ("items", "export", "confirm", "abort", "retry")},
        "approval": "approvals/1",
        "audit-verify": "audit/verify",
        "alert-rule": "alert-rules/1",
        "webhook": "webhooks/1",
        **{f"webhook-{one}": f"webhooks/1/{one}" for one in ("rotate", "test", "deliveries")},
        "redeliver": "deliveries/1/redeliver",
        **{one: f"approvals/1/{one}" for one in ("decide", "claim", "release", "reassign")},
    }
    bodies = {"executions": {"function": "echo"}, "start-many": {"executions": [{"function": "echo"}]}, "signal": {"name": "go"}}
    body = json.dumps(bodies.get(name, {})) if method != "GET" else ""
    return client.generic(method, f"/api/v1/{paths.get(name, name)}", body, content_type="application/json")
