"""DESIGN 3.14: a child is started with its parent's START; its end is told under the parent's lock alone, and never lost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from execution_engine.conf import engine_settings
from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.records import ErrorObject, OperationOptions, OperationUpdate
from execution_engine.invocation.sink import LaneSink
from execution_engine.journal import children, connections, redrive
from execution_engine.journal.lane import Lane
from execution_engine.journal.statements import statement
from execution_engine.models import Event, Execution, Operation
from execution_engine.sdk.errors import CheckpointError
from execution_engine.services import executions
from execution_engine.services.redrive import redrive_execution

Claimed = Callable[..., Any]


def invoke(target: str, payload: str = '{"n": 1}', tenant: str | None = None) -> OperationUpdate:
    options = OperationOptions(function=target, tenant=tenant)
    return OperationUpdate(
        "i1", OperationType.CHAINED_INVOKE, OperationAction.START, sub_type="ChainedInvoke", payload=payload, options=options
    )


def sink_of(claim: Any, lane: Lane, writer: Any) -> LaneSink:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:test-journal:1/durable-execution/p/{lane.execution_id}"
    return LaneSink(lane, writer, arn=arn, started_at=claim.started_at, settings=engine_settings())


@pytest.fixture
def parent(claim_one: Claimed, make_writer: Callable[..., Any]) -> tuple[LaneSink, Lane]:
    claim, lane = claim_one()
    return sink_of(claim, lane, make_writer()), lane


def child_of(lane: Lane) -> Execution:
    return Execution.objects.get(parent_id=lane.execution_id)


def events_of(lane: Lane) -> list[str]:
    found = Event.objects.filter(execution_id=lane.execution_id).order_by("event_id")
    return list(found.values_list("type", flat=True))


def test_the_child_is_started_in_the_commit_of_the_parents_start(parent: tuple[LaneSink, Lane]) -> None:
    sink, lane = parent
    sink.checkpoint(invoke("test-journal", tenant="blue"))

    child = child_of(lane)
    assert (child.function, child.input, child.tenant_id, child.status) == ("test-journal", '{"n": 1}', "blue", "RUNNING")
    details = Event.objects.get(execution_id=lane.execution_id, type="ChainedInvokeStarted").details
    assert str(child.id) in details and '"ExecutedVersion":"1"' in details and '"TenantId":"blue"' in details


@pytest.mark.parametrize("target", ["test-journal:1", "arn:aws:lambda:us-east-1:000000000000:function:test-journal:$LATEST"])
def test_names_with_version_and_arns_are_found(parent: tuple[LaneSink, Lane], target: str) -> None:
    sink, lane = parent
    sink.checkpoint(invoke(target))

    assert child_of(lane).function == "test-journal"


def test_a_target_that_nobody_registered_fails_in_the_same_answer(parent: tuple[LaneSink, Lane]) -> None:
    sink, lane = parent
    sink.checkpoint(invoke("nobody-knows-it"))

    operation = sink.operations["i1"]
    assert operation.status == "FAILED" and operation.error is not None and operation.error.type == "ResourceNotFoundException"
    assert events_of(lane) == ["ExecutionStarted", "ChainedInvokeStarted", "ChainedInvokeFailed"]


@pytest.mark.parametrize("target", ["", "two words", "arn:aws:lambda:eu-west-9:000000000000:function:test-journal"])
def test_a_target_that_is_no_name_is_refused(parent: tuple[LaneSink, Lane], target: str) -> None:
    sink, lane = parent
    with pytest.raises(CheckpointError):
        sink.checkpoint(invoke(target))
    assert events_of(lane) == ["ExecutionStarted"]


def test_a_childs_end_is_told_once(parent: tuple[LaneSink, Lane], connection: Any) -> None:
    sink, lane = parent
    sink.checkpoint(invoke("test-journal"))
    executions.stop_execution(child_of(lane).id, ErrorObject(message="enough", type="Operator"))
    assert child_of(lane).owes_parent

    assert children.deliver_due(connection) == 1
    assert children.deliver_due(connection) == 0

    operation = Operation.objects.get(execution_id=lane.execution_id, id="i1")
    assert operation.status == "STOPPED" and operation.wake_seq == 1 and "enough" in (operation.error or "")
    assert not child_of(lane).owes_parent
    assert events_of(lane).count("ChainedInvokeStopped") == 1


def test_news_delivered_but_not_cleared_is_harmless(parent: tuple[LaneSink, Lane], connection: Any) -> None:
    """A crash between the two transactions: the next look delivers again."""
    sink, lane = parent
    sink.checkpoint(invoke("test-journal"))
    executions.stop_execution(child_of(lane).id)
    children.deliver_due(connection)
    connection.execute("update durable_execution set owes_parent = true where parent_id is not null")

    assert children.deliver_due(connection) == 0
    assert not child_of(lane).owes_parent
    assert events_of(lane).count("ChainedInvokeStopped") == 1


def test_a_locked_parent_is_told_at_the_next_look(parent: tuple[LaneSink, Lane], connection: Any) -> None:
    sink, lane = parent
    sink.checkpoint(invoke("test-journal"))
    executions.stop_execution(child_of(lane).id)
    connection.execute("set lock_timeout = 50")
    with connections.connect("blocker") as blocker, blocker.transaction():
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [lane.execution_id])
        assert children.deliver_due(connection) == 0
        assert child_of(lane).owes_parent

    assert children.deliver_due(connection) == 1


def test_many_children_of_a_parent_that_cannot_be_told_keep_no_other_waiting(
    claim_one: Claimed, make_writer: Callable[..., Any], connection: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One is locked, one has a child whose end cannot be read; behind the children of both stands one of a third."""
    writer, lanes = make_writer(), []
    for number in (3, 1, 1):
        claim, lane = claim_one()
        lanes.append(lane)
        for n in range(number):
            sink_of(claim, lane, writer).checkpoint(replace(invoke("test-journal"), id=f"i{n}"))
        connection.execute("update durable_execution set due_at = null where id = %s", [lane.execution_id])
        for child in Execution.objects.filter(parent_id=lane.execution_id):
            executions.stop_execution(child.id)
    locked, unreadable, last = lanes
    connection.execute("update durable_execution set error = '{' where parent_id = %s", [unreadable.execution_id])
    connection.execute("set lock_timeout = 50")
    with connections.connect("blocker") as blocker, blocker.transaction():
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [locked.execution_id])
        assert children.deliver_due(connection, limit=2) == 1
    assert Operation.objects.get(execution_id=last.execution_id).status == "STOPPED"
    assert f"to its parent {unreadable.execution_id}" in caplog.text
    assert children.deliver_due(connection) == 3


def test_an_ended_parent_is_not_disturbed(parent: tuple[LaneSink, Lane], connection: Any) -> None:
    sink, lane = parent
    sink.checkpoint(invoke("test-journal"))
    executions.stop_execution(lane.execution_id)
    executions.stop_execution(child_of(lane).id)

    assert children.deliver_due(connection) == 0
    assert not child_of(lane).owes_parent
    assert events_of(lane)[-1] == "ExecutionStopped"


class Frozen:
    """A connection of a courier whose process stands still between telling the parent and clearing the mark."""

    def __init__(self, connection: Any, meanwhile: Callable[[], object]) -> None:
        self._connection = connection
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, query: Any, *values: Any) -> Any:
        if query == statement("clear_owing"):
            self._meanwhile()
        return self._connection.execute(query, *values)


def test_a_mark_made_again_for_a_redriven_parent_outlives_a_frozen_courier(parent: tuple[LaneSink, Lane], connection: Any) -> None:
    """The courier found the parent stopped; until it goes on, the parent was redriven and waits for the same end of the same child."""
    sink, lane = parent
    sink.checkpoint(invoke("test-journal"))
    executions.stop_execution(lane.execution_id)
    ended = "update durable_execution set status = 'SUCCEEDED', result = '1', ended_at = now(), due_at = null, owes_parent = true"
    connection.execute(f"{ended} where parent_id = %s", [lane.execution_id])

    def meanwhile() -> None:
        redrive_execution(lane.execution_id, reason="stopped too early")
        redrive.look(connection)
        assert child_of(lane).owes_parent

    assert children.deliver_due(Frozen(connection, meanwhile)) == 0
    assert (child_of(lane).owes_parent, children.deliver_due(connection)) == (True, 1)
    assert Operation.objects.get(execution_id=lane.execution_id, id="i1").status == "SUCCEEDED"
