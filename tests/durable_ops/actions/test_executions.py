from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DataError, transaction

from durable_ops.actions import executions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry
from execution_engine.core.errors import (
    ExecutionAlreadyStartedError,
    ExecutionEndedError,
    ExecutionNotFoundError,
    FunctionNotFoundError,
)
from execution_engine.core.records import ErrorObject
from execution_engine.models import Execution, Signal
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Actor:
    register_function("echo")
    return Actor(user=make_user("operator", "olga"), channel=Channel.CONSOLE, address="10.0.0.7")


def audited() -> list[tuple[Any, ...]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "object_id", "reason", "facts"))


def test_start_is_recorded_and_audited(operator: Actor) -> None:
    started = executions.start_execution(operator, function="echo", input='{"a":1}', name="first", attributes={"customer": 42})
    row = Execution.objects.get(id=started.id)
    assert (row.input, row.name, row.attributes, row.started_by, row.status) == ('{"a":1}', "first", {"customer": 42}, "olga", "RUNNING")
    facts = {"function": "echo", "version": "1", "name": "first", "input_bytes": 7}
    assert audited() == [("execution.start", str(started.id), "", facts)]


def test_start_again_under_its_name_is_the_same_execution_and_no_new_deed(operator: Actor) -> None:
    first = executions.start_execution(operator, function="echo", input="1", name="n")
    again = executions.start_execution(operator, function="echo", input="1", name="n")
    assert (again.id, again.created) == (first.id, False)
    with pytest.raises(ExecutionAlreadyStartedError):
        executions.start_execution(operator, function="echo", input="2", name="n")
    assert len(audited()) == 1


def test_start_many_audits_each(operator: Actor) -> None:
    started = executions.start_executions(operator, function="echo", inputs=["1", None, "3"])
    assert [one.created for one in started] == [True] * 3
    stored = dict(Execution.objects.values_list("id", "input"))
    assert [stored[one.id] for one in started] == ["1", None, "3"]
    assert [row[1] for row in audited()] == [str(one.id) for one in started]


def test_refused_command_leaves_no_audit_row(operator: Actor) -> None:
    with pytest.raises(FunctionNotFoundError):
        executions.start_execution(operator, function="nobody", input=None)
    with pytest.raises(ExecutionNotFoundError):
        executions.stop_execution(operator, uuid4())
    with pytest.raises(ExecutionNotFoundError):
        executions.send_signal(operator, uuid4(), name="go", payload=None)
    assert audited() == []


def test_stop_keeps_who_and_why_once(operator: Actor) -> None:
    started = executions.start_execution(operator, function="echo", input=None)
    executions.stop_execution(operator, started.id, reason="wrong customer")
    row = Execution.objects.get(id=started.id)
    assert row.status == "STOPPED"
    assert "Stopped by olga: wrong customer" in row.error
    with pytest.raises(ExecutionEndedError):
        executions.stop_execution(operator, started.id, reason="again")
    assert audited()[1:] == [("execution.stop", str(started.id), "wrong customer", {"error_type": "Execution.Stopped"})]


def test_stop_takes_the_given_error(operator: Actor) -> None:
    started = executions.start_execution(operator, function="echo", input=None)
    executions.stop_execution(operator, started.id, error=ErrorObject(type="Fraud", message="m"))
    assert '"Fraud"' in Execution.objects.get(id=started.id).error


def test_signal_is_buffered_with_its_sender(operator: Actor) -> None:
    started = executions.start_execution(operator, function="echo", input=None)
    executions.send_signal(operator, started.id, name="review", payload='{"ok":true}')
    row = Signal.objects.get()
    assert (row.execution_id, row.name, row.payload, row.sent_by) == (started.id, "review", '{"ok":true}', "olga")
    assert audited()[1] == ("execution.signal", str(started.id), "", {"signal": "review", "payload_bytes": 11})


@pytest.mark.parametrize("role", ["viewer", "approver", "nobody"])
def test_without_the_right_nothing_happens(operator: Actor, role: str) -> None:
    started = executions.start_execution(operator, function="echo", input=None)
    actor = Actor(user=make_user(role))
    for attempt in (
        lambda: executions.start_execution(actor, function="echo", input=None),
        lambda: executions.start_executions(actor, function="echo", inputs=[None]),
        lambda: executions.stop_execution(actor, started.id),
        lambda: executions.send_signal(actor, started.id, name="go", payload=None),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert Execution.objects.get().status == "RUNNING"
    assert Signal.objects.count() == 0
    assert len(audited()) == 1


def test_system_may_act_on_the_command_line_only(operator: Actor) -> None:
    executions.start_execution(Actor(user=None, channel=Channel.COMMAND, address="root"), function="echo", input=None)
    assert AuditEntry.objects.get().actor == "system (root)"
    with pytest.raises(PermissionDenied):
        executions.start_execution(Actor(user=None, channel=Channel.REST), function="echo", input=None)


def test_failing_audit_row_undoes_the_act(operator: Actor) -> None:
    operator = Actor(user=operator.user, channel=Channel.CONSOLE, address="\x00")  # PostgreSQL refuses the row
    with pytest.raises(DataError, match="NUL"), transaction.atomic():
        executions.start_execution(operator, function="echo", input=None)
    assert Execution.objects.count() == 0
