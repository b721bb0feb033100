"""Pause and resume on PostgreSQL, with a real runtime."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from execution_engine import DurableContext, StepConfig, StepSemantics, durable_execution
from execution_engine.core.errors import ExecutionEndedError, ExecutionNotPausedError
from execution_engine.journal import connections, pausing
from execution_engine.models import Execution, Operation
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions, repairs
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE, wait_until

History = Callable[[UUID], list[str]]
bodies: list[str] = []
entered, release = threading.Event(), threading.Event()


def body(name: str) -> str:
    bodies.append(name)
    if name == "one":
        entered.set()
        release.wait(PATIENCE)
    return name


@durable_execution(name="test-pause-steps")
def steps(event: Any, context: DurableContext) -> list[str]:
    config = StepConfig(step_semantics=StepSemantics(event)) if event else None
    return [context.step(lambda _, name=name: body(name), name=name, config=config) for name in ("one", "two", "three")]


@durable_execution(name="test-pause-waits", execution_timeout=60)
def waits(event: Any, context: DurableContext) -> str | None:
    callback = context.create_callback(name="answer")
    context.wait(3600, name="pause")
    return callback.result()


@pytest.fixture(autouse=True)
def fresh() -> Any:
    bodies.clear()
    entered.clear()
    release.clear()
    yield
    release.set()


def status(execution_id: UUID) -> str:
    return str(Execution.objects.values_list("status", flat=True).get(id=execution_id))


@pytest.mark.parametrize("semantics", [StepSemantics.AT_LEAST_ONCE_PER_RETRY, StepSemantics.AT_MOST_ONCE_PER_RETRY])
def test_running_invocation_unwinds_at_its_next_checkpoint(runtime: Runtime, history: History, semantics: StepSemantics) -> None:
    started = executions.start_execution("test-pause-steps", f'"{semantics.value}"')
    assert entered.wait(PATIENCE)
    assert repairs.pause_execution(started.id, reason="incident") == "PAUSING"
    release.set()
    wait_until(lambda: status(started.id) == "PAUSED")
    time.sleep(0.3)
    assert bodies == ["one"]
    assert history(started.id)[-3:] == ["StepSucceeded", "InvocationCompleted", "ExecutionPaused"]
    repairs.resume_execution(started.id, reason="over")
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert bodies == ["one", "two", "three"]
    events = {e["EventType"]: e[f"{e['EventType']}Details"] for e in list_events(started.id)}
    assert events["ExecutionPaused"]["Reason"]["Payload"] == "incident"
    assert events["ExecutionResumed"]["Reason"]["Payload"] == "over"
    assert [e["EventId"] for e in list_events(started.id)] == list(range(1, len(list_events(started.id)) + 1))


def test_resume_before_the_checkpoint_cancels_the_pause(runtime: Runtime, history: History) -> None:
    started = executions.start_execution("test-pause-steps", None)
    assert entered.wait(PATIENCE)
    repairs.pause_execution(started.id)
    repairs.resume_execution(started.id)
    release.set()
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert bodies == ["one", "two", "three"]
    assert not {"ExecutionPaused", "ExecutionResumed"} & set(history(started.id))


def test_timers_and_callbacks_complete_while_nothing_is_invoked(runtime: Runtime, history: History) -> None:
    started = executions.start_execution("test-pause-waits", None)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="WAIT").exists())
    wait_until(lambda: Execution.objects.get(id=started.id).claim_id is None)
    assert repairs.pause_execution(started.id) == "PAUSED"
    callback = Operation.objects.get(execution_id=started.id, type="CALLBACK")
    callbacks.succeed_callback(str(callback.callback_id), "yes")
    with connection.cursor() as cursor:
        cursor.execute("update durable_operation set due_at = now() where execution_id = %s and type = 'WAIT'", [started.id])
        cursor.execute("update durable_execution set due_at = now() where id = %s", [started.id])
    wait_until(lambda: "WaitSucceeded" in history(started.id))
    time.sleep(0.5)
    assert status(started.id) == "PAUSED"
    assert history(started.id).count("InvocationCompleted") == 1
    repairs.resume_execution(started.id)
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert history(started.id)[-3:] == ["ExecutionResumed", "InvocationCompleted", "ExecutionSucceeded"]


@pytest.mark.django_db
def test_queued_execution_waits_for_its_resume() -> None:
    started = executions.start_execution("test-pause-steps", None)
    assert repairs.pause_execution(started.id) == "PAUSED"
    assert repairs.pause_execution(started.id) == "PAUSED"
    assert Execution.objects.get(id=started.id).due_at is None
    repairs.resume_execution(started.id)
    row = Execution.objects.get(id=started.id)
    assert (row.status, row.due_at is not None, row.pause) == ("RUNNING", True, None)


@pytest.mark.django_db
def test_timeout_stands_still_when_asked() -> None:
    kept = executions.start_execution("test-pause-waits", None)
    still = executions.start_execution("test-pause-waits", None)
    repairs.pause_execution(kept.id)
    repairs.pause_execution(still.id, pauses_timeout=True)
    assert Execution.objects.get(id=still.id).deadline_at is None
    before = Execution.objects.get(id=kept.id).deadline_at
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.2)")
    for one in (kept, still):
        repairs.resume_execution(one.id)
    assert Execution.objects.get(id=kept.id).deadline_at == before
    assert (Execution.objects.get(id=still.id).deadline_at - before).total_seconds() > 0


@pytest.mark.django_db
def test_what_cannot_be_paused_or_resumed() -> None:
    started = executions.start_execution("test-pause-steps", None)
    with pytest.raises(ExecutionNotPausedError):
        repairs.resume_execution(started.id)
    repairs.pause_execution(started.id)
    executions.stop_execution(started.id)
    assert status(started.id) == "STOPPED"
    for attempt in (repairs.pause_execution, repairs.resume_execution):
        with pytest.raises(ExecutionEndedError):
            attempt(started.id)


def looked_at(execution_id: UUID, changes: str) -> Execution:
    """After a worker's regular look at paused executions, with the row changed as time or a death would have."""
    with connection.cursor() as cursor:
        cursor.execute(f"update durable_execution set {changes} where id = %s", [execution_id])
    with connections.connect("test") as own:
        pausing.look(own)
    return Execution.objects.get(id=execution_id)


@pytest.mark.django_db(transaction=True)
def test_deadline_runs_while_paused(history: History) -> None:
    started = executions.start_execution("test-pause-waits", None)
    repairs.pause_execution(started.id)
    past = "deadline_at = now() - interval '1 second', due_at = now() - interval '1 second'"
    assert looked_at(started.id, past).status == "TIMED_OUT"
    assert history(started.id) == ["ExecutionStarted", "ExecutionPaused", "ExecutionTimedOut"]


@pytest.mark.django_db(transaction=True)
def test_pause_whose_invocation_died_is_settled_by_whoever_looks(history: History) -> None:
    started = executions.start_execution("test-pause-waits", None)
    row = looked_at(started.id, "status = 'PAUSING', pause = '{\"Reason\": \"incident\"}'")
    assert (row.status, row.due_at) == ("PAUSED", row.deadline_at)
    assert history(started.id) == ["ExecutionStarted", "ExecutionPaused"]
    repairs.resume_execution(started.id)
    assert Execution.objects.get(id=started.id).status == "RUNNING"
