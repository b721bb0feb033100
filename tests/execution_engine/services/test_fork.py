"""Fork on PostgreSQL with a real runtime: a new execution begins with what the old one had done."""

import json
from typing import Any
from uuid import UUID

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.core.errors import ExecutionAlreadyStartedError, ExecutionNotFoundError, FunctionNotFoundError, InvalidInputError
from execution_engine.models import Execution, Operation
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.services.fork import fork_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.execution_engine.services.test_redrive import bodies, broken, fresh, step
from tests.waiting import wait_until

__all__ = ["fresh"]


@durable_execution(name="test-fork")
def handler(event: Any, context: DurableContext) -> list[Any]:
    key = str(context.uuid())
    first = step(context, "first")
    inner = context.run_in_child_context(lambda child: [step(child, "inside"), step(child, "deep")], name="group")
    return [key, first, inner, step(context, "last"), event]


@durable_execution(name="test-fork", version="2")
def fixed(event: Any, context: DurableContext) -> str:
    step(context, "first")
    return "version 2"


@durable_execution(name="test-fork-waits")
def waits(event: Any, context: DurableContext) -> str | None:
    step(context, "first")
    return context.create_callback(name="answer").result()


def result(execution_id: UUID) -> Any:
    wait_until(lambda: Execution.objects.get(id=execution_id).ended_at is not None)
    assert status(execution_id) == "SUCCEEDED", Execution.objects.get(id=execution_id).error
    return json.loads(Execution.objects.get(id=execution_id).result or "null")


def start(input_text: str | None = None) -> UUID:
    started = executions.start_execution("test-fork", input_text, version="1")
    wait_until(lambda: Execution.objects.get(id=started.id).ended_at is not None)
    return started.id


def test_fork_from_the_failure_keeps_what_finished_and_the_seed(runtime: Runtime) -> None:
    broken.add("deep")
    old = start('"in"')
    before = list_events(old)
    broken.clear()
    bodies.clear()
    forked = fork_execution(old, name="second-try", started_by="olga")
    found = result(forked.id)
    assert bodies == ["deep", "last"]
    assert (found[1:], forked.name, status(old)) == (["first", ["inside", "deep"], "last", "in"], "second-try", "FAILED")
    assert list_events(old) == before
    row = Execution.objects.get(id=forked.id)
    assert (row.forked_from, row.seed, row.started_by) == (old, old, "olga")
    bodies.clear()
    again = fork_execution(forked.id, from_operation=operation(forked.id, "last"))
    assert result(again.id)[0] == found[0]
    assert bodies == ["last"]


def operation(execution_id: UUID, name: str) -> str:
    return Operation.objects.get(execution_id=execution_id, name=name).id


def test_fork_of_a_good_execution_from_an_operation_with_another_input(runtime: Runtime) -> None:
    old = start('"old"')
    bodies.clear()
    forked = fork_execution(old, from_operation=operation(old, "deep"), input_text='"new"')
    assert result(forked.id)[1:] == ["first", ["inside", "deep"], "last", "new"]
    assert bodies == ["deep", "last"]
    events = list_events(forked.id)
    assert [e["EventId"] for e in events] == list(range(1, len(events) + 1))
    assert [e["EventType"] for e in events][:6] == [
        "ExecutionStarted", "StepStarted", "StepSucceeded", "ContextStarted", "StepStarted", "StepSucceeded",
    ]  # fmt: skip
    assert events[0]["ExecutionStartedDetails"]["ForkedFrom"] == str(old)
    starts = dict(Operation.objects.filter(execution_id=forked.id).values_list("name", "start_event"))
    assert (starts["first"], starts["group"]) == (2, 4)


def test_fork_of_an_open_execution_waits_under_a_callback_of_its_own(runtime: Runtime) -> None:
    started = executions.start_execution("test-fork-waits", None)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="CALLBACK").exists())
    forked = fork_execution(started.id)
    wait_until(lambda: Operation.objects.filter(execution_id=forked.id, type="CALLBACK").exists())
    mine, theirs = (Operation.objects.get(execution_id=one, type="CALLBACK").callback_id for one in (started.id, forked.id))
    assert mine != theirs
    callbacks.succeed_callback(str(theirs), "for the fork")
    wait_until(lambda: status(forked.id) == "SUCCEEDED")
    assert status(started.id) == "RUNNING"
    assert bodies == ["first"]


def test_fork_on_another_version(runtime: Runtime) -> None:
    broken.add("last")
    old = start()
    first = operation(old, "group")
    assert result(fork_execution(old, version="2", from_operation=first).id) == "version 2"
    with pytest.raises(FunctionNotFoundError):
        fork_execution(old, version="99")


@pytest.mark.django_db
def test_what_cannot_be_forked() -> None:
    started = executions.start_execution("test-fork", None, name="taken")
    with pytest.raises(ExecutionAlreadyStartedError):
        fork_execution(started.id, name="taken")
    with pytest.raises(InvalidInputError):
        fork_execution(started.id, from_operation="nobody")
    with pytest.raises(InvalidInputError):
        fork_execution(started.id, name="a b")
    with pytest.raises(ExecutionNotFoundError):
        fork_execution(UUID(int=0))
    assert Execution.objects.count() == 1
