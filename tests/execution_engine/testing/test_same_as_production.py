"""The in-memory journal and the real engine write the same history, event by event.

Each story runs twice: in memory on the virtual clock, and in a real worker on PostgreSQL, where its waits of a second are waited.
An action of a story happens when the execution is suspended and nothing is due.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import pytest
from django.utils import timezone

from execution_engine import (
    CallbackError,
    DurableContext,
    Duration,
    InvokeError,
    MapConfig,
    RetryPolicy,
    StepConfig,
    StepError,
    WaitForConditionConfig,
    WaitForConditionDecision,
    durable_execution,
)
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.records import ErrorObject
from execution_engine.models import Execution, Operation
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions, signals
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest
from execution_engine.worker.runtime import Runtime
from tests.waiting import wait_until

Event = dict[str, Any]
SOON = timedelta(milliseconds=100)
DIFFERING = frozenset(
    {
        "EventTimestamp",
        "ScheduledEndTimestamp",
        "StartTimestamp",
        "EndTimestamp",
        "RequestId",
        "CallbackId",
        "StackTrace",
        "DurableExecutionArn",
    }
)


class Driver(Protocol):
    """What a story may do from outside, in memory or on PostgreSQL."""

    def complete(self, name: str, value: str | None) -> None: ...
    def fail(self, name: str, message: str) -> None: ...
    def signal(self, name: str, payload: str) -> None: ...
    def stop(self) -> None: ...


class InMemory:
    def __init__(self, execution: ExecutionUnderTest) -> None:
        self.execution = execution

    def complete(self, name: str, value: str | None) -> None:
        self._callback(name).complete(value)

    def fail(self, name: str, message: str) -> None:
        self._callback(name).fail({"ErrorMessage": message})

    def signal(self, name: str, payload: str) -> None:
        self.execution.signal(name, payload)

    def stop(self) -> None:
        self.execution.stop({"ErrorType": "Cancelled"})

    def _callback(self, name: str) -> Any:
        return next(callback for callback in self.execution.get_pending_callbacks() if callback.name == name)


class OnPostgres:
    def __init__(self, execution_id: UUID) -> None:
        self.id = execution_id

    def settle(self) -> None:
        """Waits until no invocation is under way or owed."""
        self._wait_for(lambda row: row.claim_id is None and (row.due_at is None or row.due_at > timezone.now() + SOON))

    def wait_until_ended(self) -> None:
        self._wait_for(lambda row: ExecutionStatus(row.status).is_terminal)

    def complete(self, name: str, value: str | None) -> None:
        self.settle()
        callbacks.succeed_callback(self._callback_id(name), value)

    def fail(self, name: str, message: str) -> None:
        self.settle()
        callbacks.fail_callback(self._callback_id(name), ErrorObject(message=message))

    def signal(self, name: str, payload: str) -> None:
        self.settle()
        signals.send_signal(self.id, name, f'"{payload}"')

    def stop(self) -> None:
        self.settle()
        executions.stop_execution(self.id, ErrorObject(type="Cancelled"))

    def _callback_id(self, name: str) -> str:
        return str(Operation.objects.get(execution_id=self.id, name=name).callback_id)

    def _wait_for(self, holds: Callable[[Execution], bool]) -> None:
        wait_until(lambda: holds(Execution.objects.get(id=self.id)), lambda: list_events(self.id))


def steps_and_waits(event: Event, context: DurableContext) -> Any:
    context.step(lambda: {"a": [1, None]}, name="first")
    context.wait(Duration(1), name="pause")
    return context.run_in_child_context(lambda child: child.step(lambda: "inner", name="inner"), name="child")


def retries(event: Event, context: DurableContext) -> str:
    def flaky(step: Any) -> str:
        if step.attempt < 2:
            raise ConnectionError("not yet")
        return "ok"

    try:
        context.step(lambda: 1 / 0, name="hopeless", retry=RetryPolicy(max_attempts=1))
    except StepError as error:
        assert error.error_type == "ZeroDivisionError"
    return context.step(flaky, name="flaky", retry=RetryPolicy(max_attempts=3, initial_interval=1, backoff=1))


def polls(event: Event, context: DurableContext) -> int:
    def decide(state: int, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if state == 2 else WaitForConditionDecision.continue_waiting(Duration(1))

    config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
    return context.wait_for_condition(lambda state, _: state + 1, config=config, name="poll")


def answered(event: Event, context: DurableContext) -> Any:
    early = context.create_callback("early", timeout=600)
    late = context.create_callback("late", heartbeat_timeout=600)
    first = late.result()
    try:
        early.result()
    except CallbackError as error:
        return [first, error.message]
    return None


def submitted(event: Event, context: DurableContext) -> Any:
    return context.wait_for_callback(lambda callback_id, _: None, name="approval")


def signalled(event: Event, context: DurableContext) -> Any:
    first = context.wait_for_signal("first").payload
    context.step(lambda: None, name="between")
    return [first, context.wait_for_signal("second").payload]


def times_out(event: Event, context: DurableContext) -> None:
    context.create_callback("nobody", timeout=1).result()


def raises(event: Event, context: DurableContext) -> None:
    context.step(lambda: 1, name="one")
    raise LookupError("the author's own")


def waits_for_ever(event: Event, context: DurableContext) -> None:
    context.create_callback("never").result()


def atomic(event: Event, context: DurableContext) -> int:
    return context.step(lambda: 3, name="together", config=StepConfig(atomic=True))


def branches(event: Event, context: DurableContext) -> Any:
    def branch(child: DurableContext, item: int, index: int, _: Any) -> int:
        child.wait(Duration(1), name="pause")
        return child.step(lambda: item * 2, name="double")

    config = MapConfig(max_concurrency=1)
    return context.map([1, 2], branch, name="each", config=config).get_results()


def invokes(event: Event, context: DurableContext) -> Any:
    doubled = context.invoke("story-steps-and-waits", {"n": 2}, name="child")
    try:
        context.invoke("nobody-knows-this", None, name="unknown")
    except InvokeError as error:
        return [doubled, error.error_type]


STORIES: dict[str, tuple[Callable[..., Any], Callable[[Driver], None]]] = {
    "steps-and-waits": (steps_and_waits, lambda _: None),
    "retries": (retries, lambda _: None),
    "polls": (polls, lambda _: None),
    "answered": (answered, lambda it: (it.fail("early", "no"), it.complete("late", "yes"))[0]),
    "submitted": (submitted, lambda it: it.complete("approval create callback id", None)),
    "signalled": (signalled, lambda it: (it.signal("second", "b"), it.signal("first", "a"))[0]),
    "times-out": (times_out, lambda _: None),
    "raises": (raises, lambda _: None),
    "stopped": (waits_for_ever, lambda it: it.stop()),
    "atomic": (atomic, lambda _: None),
    "branches": (branches, lambda _: None),
    "invokes": (invokes, lambda _: None),
}
FUNCTIONS = {name: durable_execution(name=f"story-{name}")(handler) for name, (handler, _) in STORIES.items()}


@pytest.mark.parametrize("name", STORIES)
def test_both_write_the_same_history(name: str, runtime: Runtime) -> None:
    act = STORIES[name][1]
    client = DurableExecutionTestClient()
    in_memory = client.start_execution(FUNCTIONS[name], {"n": 1})
    act(InMemory(in_memory))
    in_memory.run_until_complete()
    in_memory.skip_time(0 if in_memory.status.is_terminal else 1)

    handle = FUNCTIONS[name].start({"n": 1})
    on_postgres = OnPostgres(handle.id)
    act(on_postgres)
    on_postgres.wait_until_ended()

    assert comparable(list_events(handle.id)) == comparable(in_memory.events)
    assert [event["Id"] for event in list_events(handle.id) if event["EventType"] == "ExecutionStarted"] == [str(handle.id)]


def comparable(value: Any) -> Any:
    """Without what differs between any two executions: times, random ids, stack frames."""
    if isinstance(value, dict):
        differing = DIFFERING if "SubType" in value else {*DIFFERING, "Id"}  # events of the execution itself carry its id
        return {key: "*" if key in differing else comparable(inner) for key, inner in value.items()}
    return [comparable(inner) for inner in value] if isinstance(value, list) else value
