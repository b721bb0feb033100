"""Children that are gone or belong to somebody else: a redriven or forked parent never waits for an answer that cannot come."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from execution_engine import DurableContext, InvokeError, durable_execution
from execution_engine.core.errors import ExecutionNeededError
from execution_engine.journal import connections, redrive
from execution_engine.models import Execution, Operation
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.services.fork import fork_execution
from execution_engine.services.redrive import redrive_execution
from execution_engine.services.removal import delete_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime
from tests.execution_engine.services.test_pause import status
from tests.execution_engine.services.test_redrive import bodies, broken, ended, fresh, step
from tests.execution_engine.services.test_redrive_families import family
from tests.waiting import wait_until

__all__ = ["fresh"]


@durable_execution(name="test-lost-caught")
def catches(event: Any, context: DurableContext) -> str:
    try:
        context.invoke("test-redrive-child", {"n": 1}, name="call")
    except InvokeError as error:
        failure = error
    if event == "goes on":
        step(context, "between")
    raise failure


@durable_execution(name="test-lost-callback")
def asks(event: Any, context: DurableContext) -> str | None:
    return context.wait_for_callback(lambda callback_id: bodies.append(callback_id), name="answer")


@durable_execution(name="test-lost-patient")
def patient(event: Any, context: DurableContext) -> str:
    return f"got {context.invoke('test-lost-callback', None, name='call')}"


def test_a_child_purged_during_the_redrive_fails_the_invoke(transactional_db: None) -> None:
    """Between the redrive's look at its child and the child's own redrive, the child may be removed."""
    broken.add("child-last")
    first = make_runtime()
    first.start()
    parent_id, child_id = family()
    wait_until(lambda: not Execution.objects.get(id=child_id).owes_parent)
    first.stop()
    redrive_execution(parent_id)
    with pytest.raises(ExecutionNeededError):
        delete_execution(child_id)
    with connection.cursor() as cursor:
        cursor.execute("delete from durable_execution where id = %s", [child_id])
    with connections.connect("test") as own:
        redrive.look(own)
        assert not Execution.objects.get(id=parent_id).owes_child
    second = make_runtime()
    second.start()
    wait_until(lambda: status(parent_id) == "FAILED")
    second.stop()
    failed = [event for event in list_events(parent_id) if event["EventType"] == "ChainedInvokeFailed"]
    assert failed[-1]["ChainedInvokeFailedDetails"]["Error"]["Payload"]["ErrorType"] == "ChainedInvoke.Gone"


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_child_that_ended_while_its_parent_was_stopped_is_heard_after_the_redrive(runtime: Runtime, is_gone: bool) -> None:
    started = executions.start_execution("test-lost-patient", None)
    answer_child(started.id, 1, stop=True)
    child_id = Execution.objects.get(parent_id=started.id).id
    wait_until(lambda: not Execution.objects.get(id=child_id).owes_parent)
    if is_gone:
        delete_execution(child_id)
    redrive_execution(started.id)
    if is_gone:
        answer_child(started.id, 2, stop=False)
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert Execution.objects.get(id=started.id).result == '"got yes"'
    assert len(bodies) == 1 + is_gone


def answer_child(parent_id: UUID, number: int, *, stop: bool) -> None:
    """Once the parent's `number`-th child waits for its callback; the parent is stopped before it can hear of it."""
    wait_until(lambda: len(bodies) == number)
    if stop:
        executions.stop_execution(parent_id)
    callbacks.succeed_callback(bodies[-1], "yes")
    wait_until(lambda: Execution.objects.filter(parent_id=parent_id, status="SUCCEEDED").exists())


def test_a_forks_invoke_never_waits_for_the_child_of_the_old_execution(runtime: Runtime) -> None:
    """The fork keeps the failed invoke; redriven from its failure, it starts a child of its own."""
    broken.update({"child-last", "after"})
    parent_id, child_id = family()
    forked = fork_execution(parent_id, from_operation=operation(parent_id, "call"))
    wait_until(lambda: status(forked.id) == "FAILED")
    again = fork_execution(forked.id, name="copy")
    wait_until(lambda: status(again.id) == "FAILED")
    redrive_execution(again.id)
    wait_until(lambda: status(again.id) == "FAILED" and Execution.objects.get(id=again.id).redrive_count == 1)
    broken.clear()
    redrive_execution(again.id)
    wait_until(lambda: status(again.id) == "SUCCEEDED")
    assert (status(parent_id), status(child_id)) == ("FAILED", "FAILED")


def test_a_kept_invoke_of_a_fork_starts_its_own_child_when_it_is_redriven(runtime: Runtime) -> None:
    broken.add("child-last")
    execution_id = ended("test-lost-caught", '"goes on"')
    child_id = Execution.objects.get(parent_id=execution_id).id
    forked = fork_execution(execution_id, from_operation=operation(execution_id, "between"), input_text='"raises"')
    wait_until(lambda: status(forked.id) == "FAILED")
    assert not Execution.objects.filter(parent_id=forked.id).exists(), "it kept the old answer"
    broken.clear()
    redrive_execution(forked.id)
    wait_until(lambda: Execution.objects.filter(parent_id=forked.id, status="SUCCEEDED").exists())
    assert status(child_id) == "FAILED"


def test_a_fork_of_an_open_wait_for_callback_hands_out_its_own_id(runtime: Runtime) -> None:
    started = executions.start_execution("test-lost-callback", None)
    wait_until(lambda: bodies and Execution.objects.get(id=started.id).claim_id is None)
    forked = fork_execution(started.id)
    wait_until(lambda: len(bodies) == 2)
    callbacks.succeed_callback(bodies[1], "for the fork")
    wait_until(lambda: status(forked.id) == "SUCCEEDED")
    assert status(started.id) == "RUNNING"


def test_a_second_redrive_meanwhile_is_not_forgotten(transactional_db: None) -> None:
    """The duty clears the mark only of the redrive that it has looked after."""
    started = executions.start_execution("test-redrive-parent", None)
    executions.stop_execution(started.id)
    redrive_execution(started.id)
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set owes_child = true where id = %s", [started.id])
        cursor.execute(redrive.statement("clear_owes_child"), {"id": started.id, "redrives": 0})
    assert Execution.objects.get(id=started.id).owes_child


def operation(execution_id: UUID, name: str) -> str:
    return Operation.objects.get(execution_id=execution_id, name=name).id
