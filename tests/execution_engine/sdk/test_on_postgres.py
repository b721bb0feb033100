"""What was recorded by a real worker replays to the same result: times, errors and values included."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from execution_engine import (
    DurableContext,
    Duration,
    MapConfig,
    RetryPolicy,
    StepConfig,
    StepContext,
    StepError,
    WaitForConditionConfig,
    WaitForConditionDecision,
    register,
)
from execution_engine.core.enums import ExecutionStatus, InvocationStatus
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.journal import connections
from execution_engine.journal.reader import load
from execution_engine.models import Execution, Operation
from execution_engine.sdk import registry
from execution_engine.sdk.registry import input_text
from execution_engine.sdk.runner import run_handler
from execution_engine.services import callbacks, executions, signals
from execution_engine.worker.runtime import Runtime
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def poll(state: int, attempt: int) -> WaitForConditionDecision:
    return WaitForConditionDecision.stop_polling() if attempt == 2 else WaitForConditionDecision.continue_waiting(Duration(1))


def fail_once(step: StepContext) -> str:
    if step.attempt == 1:
        raise ValueError("größer\x00 als gedacht")
    return f"attempt {step.attempt}"


def everything(event: Any, context: DurableContext) -> list[Any]:
    seen: list[Any] = [str(context.now()), str(context.uuid()), context.random()]

    def note(value: Any) -> None:
        seen.append([value, str(context.now()), str(context.uuid())])

    note(context.step("dict", lambda: {"ü": (1, b"x"), "none": None})["ü"][0])
    note(context.step("flaky", fail_once, retry=RetryPolicy(initial_interval=1)))
    note(context.step("atomic", lambda: 2, config=StepConfig(atomic=True)))
    try:
        context.step("broken", fail_once, retry=RetryPolicy(max_attempts=1))
    except StepError as error:
        note([str(error), error.error_type, error.stack_trace])
    context.wait(seconds=1)
    note("waited")
    note(context.run_in_child_context("child", lambda child: [child.step("in child", lambda: 1), str(child.now())]))
    note(len(context.run_in_child_context("large", lambda child: child.step("x", lambda: "x") * 300_000)))
    note(context.wait_for_condition(lambda state: state + 1, WaitForConditionConfig(poll, 0), "poll"))
    note(context.wait_for_callback(context.create_callback("ask")))
    note(context.wait_for_signal("go").payload)
    note(context.map(range(5), item, "map", MapConfig(max_concurrency=2)).get_results())
    note(context.parallel([lambda child: Operation.objects.count() >= 0, lambda child: child.wait(seconds=1)], "both").to_dict())
    note(len(context.map(range(4), lambda child, value, *_: child.step(lambda: "x") * 100_000, "large map").get_results()))
    return seen


def item(context: DurableContext, value: int, index: int, values: Any) -> int:
    if value % 2:
        context.wait("odd ones wait", seconds=1)
    return context.step("work", lambda: Operation.objects.filter(id=str(value)).count() + value, config=StepConfig(atomic=value == 2))


class Recorded:
    """The journal of an ended execution; whoever writes has diverged."""

    def __init__(self, row: Execution, operations: dict[str, OperationRecord]) -> None:
        self.execution_id = row.id
        self.execution_arn = f"arn:aws:lambda:r:a:function:f:1/durable-execution/n/{row.id}"
        self.started_at = row.started_at
        self.operations = operations

    def checkpoint(self, *updates: OperationUpdate) -> None:
        raise AssertionError(f"replay wrote {updates}")

    hold = refresh = atomic = set_status = set_attributes = checkpoint


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> registry.RegisteredFunction:
    monkeypatch.setattr(registry, "_functions", {})
    return register(everything, name="everything")


def test_a_recorded_execution_replays_to_the_same_result(
    function: registry.RegisteredFunction, runtime: Runtime, execution_row: Callable[[UUID], Execution]
) -> None:
    started = executions.start_execution("everything", input_text({"a": 1}))
    signals.send_signal(started.id, "go", '{"early": true}')
    wait_until(lambda: pending_callback(started.id) is not None)
    callbacks.succeed_callback(str(pending_callback(started.id)), '{"action": "approved"}')
    wait_until(lambda: ExecutionStatus(execution_row(started.id).status).is_terminal)
    row = execution_row(started.id)
    assert (row.status, row.error) == ("SUCCEEDED", None)
    with connections.connect("test") as connection:
        operations = load(connection, [started.id])[started.id].operations
    outcome = run_handler(function, Recorded(row, operations), row.input, is_replaying=True)
    assert (outcome.status, outcome.error) == (InvocationStatus.SUCCEEDED, None)
    assert outcome.result == row.result


def pending_callback(execution_id: UUID) -> str | None:
    found = Operation.objects.filter(execution_id=execution_id, type="CALLBACK", status="STARTED").values_list("callback_id", flat=True)
    return found.first()
