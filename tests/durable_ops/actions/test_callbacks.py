import json

import pytest
from django.core.exceptions import PermissionDenied

from durable_ops.actions import callbacks, executions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError
from execution_engine.core.records import ErrorObject
from tests.durable_ops.journal import callback_row, open_callback, register_function
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Actor:
    return Actor(user=make_user("administrator", "anna"), channel=Channel.REST)


@pytest.fixture
def callback_id(admin: Actor) -> str:
    register_function("echo")
    started = executions.start_execution(admin, function="echo", input=None)
    return open_callback(started.id, "manager", heartbeat=60)


def last_act() -> AuditEntry:
    return AuditEntry.objects.order_by("-id")[0]


def test_succeed_keeps_the_text_byte_for_byte(admin: Actor, callback_id: str) -> None:
    callbacks.succeed(admin, callback_id, '{"status": "approved"}')
    row = callback_row(callback_id)
    assert (row["status"], row["payload"]) == ("SUCCEEDED", '{"status": "approved"}')
    act = last_act()
    assert (act.action, act.object_id, act.execution_id) == ("callback.succeed", callback_id, row["execution_id"])
    assert act.facts == {"callback": "manager", "result_bytes": 22}


def test_succeed_without_result(admin: Actor, callback_id: str) -> None:
    callbacks.succeed(admin, callback_id, None)
    assert callback_row(callback_id)["payload"] is None


def test_fail_keeps_the_error(admin: Actor, callback_id: str) -> None:
    callbacks.fail(admin, callback_id, ErrorObject(type="Rejected", message="no"))
    row = callback_row(callback_id)
    assert (row["status"], json.loads(row["error"])) == ("FAILED", {"ErrorType": "Rejected", "ErrorMessage": "no"})
    assert last_act().facts == {"callback": "manager", "error_type": "Rejected"}


def test_heartbeat_moves_the_timer_without_an_audit_row(admin: Actor, callback_id: str) -> None:
    before, acts = callback_row(callback_id), AuditEntry.objects.count()
    callbacks.heartbeat(admin, callback_id)
    after = callback_row(callback_id)
    assert (after["status"], after["due_at"] > before["due_at"]) == ("STARTED", True)
    assert AuditEntry.objects.count() == acts


@pytest.mark.parametrize(("approved", "word", "verb"), [(True, "approved", "approve"), (False, "rejected", "reject")])
def test_decision_carries_who_and_why(callback_id: str, approved: bool, word: str, verb: str) -> None:
    approver = Actor(user=make_user("approver", "mia"))
    callbacks.decide(approver, callback_id, approved=approved, comment="seen ✓")
    assert json.loads(callback_row(callback_id)["payload"]) == {"action": word, "by": "mia", "comment": "seen ✓"}
    act = last_act()
    assert (act.action, act.actor, act.reason) == (f"callback.{verb}", "mia", "seen ✓")


def test_second_answer_is_refused_and_changes_nothing(admin: Actor, callback_id: str) -> None:
    callbacks.succeed(admin, callback_id, "1")
    acts = AuditEntry.objects.count()
    for attempt in (
        lambda: callbacks.succeed(admin, callback_id, "2"),
        lambda: callbacks.fail(admin, callback_id, ErrorObject()),
        lambda: callbacks.heartbeat(admin, callback_id),
        lambda: callbacks.decide(admin, callback_id, approved=False),
    ):
        with pytest.raises(CallbackCompletedError):
            attempt()
    assert callback_row(callback_id)["payload"] == "1"
    assert AuditEntry.objects.count() == acts


def test_unknown_callback(admin: Actor) -> None:
    with pytest.raises(CallbackNotFoundError):
        callbacks.succeed(admin, "nobody-knows", None)


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "nobody"])
def test_only_administrators_answer_as_programs_do(callback_id: str, role: str) -> None:
    actor = Actor(user=make_user(role))
    for attempt in (
        lambda: callbacks.succeed(actor, callback_id, "1"),
        lambda: callbacks.fail(actor, callback_id, ErrorObject()),
        lambda: callbacks.heartbeat(actor, callback_id),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert callback_row(callback_id)["status"] == "STARTED"


@pytest.mark.parametrize("role", ["viewer", "operator", "nobody"])
def test_operators_do_not_approve(callback_id: str, role: str) -> None:
    with pytest.raises(PermissionDenied):
        callbacks.decide(Actor(user=make_user(role)), callback_id, approved=True)
    assert callback_row(callback_id)["status"] == "STARTED"
