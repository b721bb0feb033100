"""Whole executions through a real runtime: claims, group commit, timers, suspension, answers from outside."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from execution_engine import DurableContext, Duration, durable_execution
from execution_engine.models import Execution, Operation
from execution_engine.services import callbacks, executions, redrive
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE, wait_until

History = Callable[[UUID], list[str]]


@durable_execution(name="test-ten-steps")
def ten_steps(event: Any, context: DurableContext) -> int:
    return sum(context.step(lambda i=i: i + event["add"], name=f"step-{i}") for i in range(10))


@durable_execution(name="test-wait")
def waits(event: Any, context: DurableContext) -> str:
    context.wait(Duration.from_seconds(1), name="pause")
    return "rested"


@durable_execution(name="test-callback")
def asks(event: Any, context: DurableContext) -> str | None:
    callback = context.create_callback(name="answer")
    return callback.result()


def pending_callback(execution_id: UUID) -> str:
    """Once the invocation that started it has ended."""

    def find() -> Operation | None:
        found = Operation.objects.filter(execution_id=execution_id, status="STARTED", callback_id__isnull=False).first()
        return found if Execution.objects.get(id=execution_id).claim_id is None else None

    return str(wait_until(find).callback_id)


def test_steps_run_once_and_their_history_is_exact(runtime: Runtime, history: History) -> None:
    handle = ten_steps.start({"add": 1})

    assert handle.result(timeout=PATIENCE) == 55
    assert history(handle.id) == [
        "ExecutionStarted",
        *["StepStarted", "StepSucceeded"] * 10,
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_a_wait_suspends_and_wakes(runtime: Runtime, history: History) -> None:
    handle = waits.start()

    assert handle.result(timeout=PATIENCE) == "rested"
    assert history(handle.id) == [
        "ExecutionStarted",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_a_callback_answered_from_outside_resumes_at_once(runtime: Runtime, history: History) -> None:
    handle = asks.start()

    callbacks.succeed_callback(pending_callback(handle.id), "yes")

    assert handle.result(timeout=PATIENCE) == "yes"
    assert history(handle.id)[-3:] == ["CallbackSucceeded", "InvocationCompleted", "ExecutionSucceeded"]


def test_stop_ends_a_waiting_execution(runtime: Runtime, history: History) -> None:
    handle = asks.start()
    pending_callback(handle.id)

    executions.stop_execution(handle.id)

    assert handle.status() == "STOPPED"
    assert history(handle.id)[-1] == "ExecutionStopped"
    with pytest.raises(Exception, match="STOPPED"):
        handle.result(timeout=PATIENCE)


def test_run_in_process_needs_no_worker(transactional_db: None, history: History) -> None:
    handle = ten_steps.run({"add": 2})

    assert handle.result(timeout=PATIENCE) == 65
    assert history(handle.id)[-2:] == ["InvocationCompleted", "ExecutionSucceeded"]


ENTERED, LEAVES = threading.Semaphore(0), threading.Event()


@durable_execution(name="test-outlived")
def outlived(event: Any, context: DurableContext) -> str:
    ENTERED.release()
    LEAVES.wait(PATIENCE)
    return "left"


def test_a_handler_that_outlived_its_claim_still_has_its_thread(runtime: Runtime) -> None:
    """Stopped and redriven while its handler hangs: two threads are busy with one execution, and only one may write."""
    LEAVES.clear()
    handle = outlived.start()
    assert ENTERED.acquire(timeout=PATIENCE)
    executions.stop_execution(handle.id)
    redrive.redrive_execution(handle.id)
    assert ENTERED.acquire(timeout=PATIENCE)

    assert (runtime.in_flight, runtime.free) == (2, runtime.settings.THREADS - 2)
    assert [invocation.lane.lost for invocation in runtime.invocations()] == [True, False]
    LEAVES.set()
    assert handle.result(timeout=PATIENCE) == "left"
