"""map, parallel and invoke in a real worker on PostgreSQL, where branches, timers, answers and deaths meet."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from execution_engine import (
    CompletionConfig,
    DurableContext,
    InvokeConfig,
    JsonSerDes,
    MapConfig,
    ParallelConfig,
    durable_execution,
)
from execution_engine.models import Event, Execution, Operation
from execution_engine.sdk.registry import register
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.waiting import PATIENCE, wait_until

LARGE = 300_000
bodies: Counter[str] = Counter()
entered, release, left = threading.Event(), threading.Event(), threading.Event()
plain_calls: list[Any] = []


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    bodies.clear()
    plain_calls.clear()
    for event in (entered, release, left):
        event.clear()
    yield
    release.set()


def finished(name: str, input_text: str | None = None) -> UUID:
    started = executions.start_execution(name, input_text)
    wait_until(lambda: Execution.objects.get(id=started.id).ended_at is not None)
    assert status(started.id) == "SUCCEEDED", Execution.objects.get(id=started.id).error
    return started.id


def kinds(execution_id: UUID) -> list[str]:
    return list(Event.objects.filter(execution_id=execution_id).order_by("event_id").values_list("type", flat=True))


def count(name: str) -> str:
    bodies[name] += 1
    return name


@durable_execution(name="test-branches-timer")
def timer_beside_work(event: Any, context: DurableContext) -> Any:
    def sleeps(child: DurableContext) -> str:
        child.wait(1)
        return child.step("woken", lambda: count("woken"))

    def works(child: DurableContext) -> str:
        def body() -> str:
            entered.set()
            release.wait(PATIENCE)
            return count("worked")

        return child.step("works", body)

    return context.parallel([works, sleeps], "both").get_results()


def test_a_branch_whose_timer_is_due_goes_on_beside_a_running_sibling(runtime: Runtime) -> None:
    """In the same invocation: its step ends while the sibling's body has not returned yet."""
    started = executions.start_execution("test-branches-timer", None)
    assert entered.wait(PATIENCE)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, name="woken", status="SUCCEEDED").exists())
    assert bodies["worked"] == 0
    release.set()
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert kinds(started.id).count("InvocationCompleted") == 1
    assert bodies == {"woken": 1, "worked": 1}


@durable_execution(name="test-branches-orphan")
def leaves_an_orphan(event: Any, context: DurableContext) -> Any:
    def slow(child: DurableContext) -> str:
        try:
            child.step("before", lambda: (entered.set(), release.wait(PATIENCE), count("before"))[2])
            child.step("after", lambda: count("after"))
        finally:
            left.set()
        return "slow"

    def quick(child: DurableContext) -> str:
        entered.wait(PATIENCE)
        return child.step("quick", lambda: count("quick"))

    config = ParallelConfig(completion_config=CompletionConfig.first_successful())
    result = context.parallel([slow, quick], "race", config)
    context.create_callback("later").result()
    return [item.status.value for item in result.all]


def test_a_branch_that_outlives_its_batch_writes_nothing_behind_its_end(runtime: Runtime) -> None:
    started = executions.start_execution("test-branches-orphan", None)
    wait_until(lambda: "CallbackStarted" in kinds(started.id))
    before = Counter(kinds(started.id))
    release.set()
    assert left.wait(PATIENCE)
    time.sleep(0.3)  # what it might still write would be written by now
    assert Counter(kinds(started.id)) - before <= Counter(InvocationCompleted=1)
    assert bodies["after"] == 0
    callbacks.succeed_callback(Operation.objects.get(execution_id=started.id, name="later").callback_id or "", None)
    wait_until(lambda: Execution.objects.get(id=started.id).ended_at is not None)
    assert Execution.objects.get(id=started.id).error is None
    assert Execution.objects.get(id=started.id).result == '["STARTED", "SUCCEEDED"]'
    names = [event.get("Name") for event in list_events(started.id)]
    assert "after" not in names


@durable_execution(name="test-branches-large")
def large_results(event: Any, context: DurableContext) -> Any:
    def item(child: DurableContext, value: int, index: int, _: Any) -> str:
        return child.step("makes", lambda: count(f"item {value}")[-1]) * LARGE

    def both(child: DurableContext) -> list[int]:
        return [len(result) for result in child.map([1, 2, 3], item, name="large").get_results()]

    first = context.run_in_child_context("block", both)
    context.wait(1)
    again = context.map([4, 5], item, name="wide", config=MapConfig(max_concurrency=1))
    context.wait(1)
    return [first, [result[:1] for result in again.get_results()], again.success_count]


def test_results_too_large_to_store_are_rebuilt_after_each_suspension(runtime: Runtime) -> None:
    execution_id = finished("test-branches-large")
    assert Execution.objects.get(id=execution_id).result == '[[300000, 300000, 300000], ["4", "5"], 2]'
    assert set(bodies.values()) == {1}
    rebuilt = Operation.objects.filter(execution_id=execution_id, replay_children=True)
    assert set(rebuilt.values_list("sub_type", flat=True)) == {"Map", "MapIteration"}
    assert max(len(payload or "") for payload in Operation.objects.values_list("payload", flat=True)) < LARGE


class Tagged(JsonSerDes):
    """Tells its own texts from others."""

    def serialize(self, value: Any, context: Any = None) -> str:
        return "tagged:" + super().serialize(value, context)

    def deserialize(self, text: str, context: Any = None) -> Any:
        assert text.startswith("tagged:"), text
        return super().deserialize(text.removeprefix("tagged:"), context)


@durable_execution(name="test-branches-serdes")
def item_serdes(event: Any, context: DurableContext) -> Any:
    config = MapConfig(item_serdes=Tagged(), max_concurrency=2)
    found = context.map([1, 2], lambda child, item, index, _: {"n": item}, name="items", config=config).get_results()
    context.wait(1)
    return found


def test_items_are_written_and_read_by_their_own_serdes(runtime: Runtime) -> None:
    execution_id = finished("test-branches-serdes")
    items = Operation.objects.filter(execution_id=execution_id, sub_type="MapIteration").order_by("start_event")
    assert sorted(payload or "" for payload in items.values_list("payload", flat=True)) == ['tagged:{"n": 1}', 'tagged:{"n": 2}']
    assert Execution.objects.get(id=execution_id).result == '[{"n": 1}, {"n": 2}]'


def plain(event: Any, lambda_context: Any) -> Any:
    plain_calls.append((event, getattr(lambda_context, "tenant_id", None)))
    if event == "fails":
        raise LookupError("plainly wrong")
    return {"seen": event}


register(plain, name="test-branches-plain", durable=False, per_tenant=True)


@durable_execution(name="test-branches-invokes")
def invokes_in_branches(event: Any, context: DurableContext) -> Any:
    def call(child: DurableContext, item: str, index: int, _: Any) -> Any:
        return child.invoke("test-branches-plain", item, name=item, config=InvokeConfig(tenant_id=f"tenant-{item}"))

    config = MapConfig(completion_config=CompletionConfig.all_completed())
    batch = context.map(["a", "b", "fails"], call, name="calls", config=config)
    return [batch.get_results(), [error.message for error in batch.get_errors()]]


def test_plain_functions_are_called_once_from_each_branch_with_their_tenant(runtime: Runtime) -> None:
    execution_id = finished("test-branches-invokes")
    assert Execution.objects.get(id=execution_id).result == '[[{"seen": "a"}, {"seen": "b"}], ["plainly wrong"]]'
    assert sorted(plain_calls) == [("a", "tenant-a"), ("b", "tenant-b"), ("fails", "tenant-fails")]
    assert not Execution.objects.filter(owes_parent=True).exists()


@durable_execution(name="test-branches-answers")
def many_answers(event: Any, context: DurableContext) -> Any:
    def ask(child: DurableContext, item: int, index: int, _: Any) -> Any:
        return child.create_callback(f"ask {item}").result()

    return context.map(list(range(40)), ask, name="asks").get_results()


def test_answers_that_come_at_once_wake_every_branch(runtime: Runtime) -> None:
    """No news is lost, whichever branch is suspending while another is answered."""
    started = executions.start_execution("test-branches-answers", None)
    asked: set[str] = set()
    ends = time.monotonic() + PATIENCE
    while len(asked) < 40:
        assert time.monotonic() < ends
        found = Operation.objects.filter(execution_id=started.id, type="CALLBACK").exclude(id__in=asked)
        for operation_id, callback_id, name in found.values_list("id", "callback_id", "name"):
            callbacks.succeed_callback(callback_id or "", name)
            asked.add(operation_id)
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert Execution.objects.get(id=started.id).result == str([f"ask {item}" for item in range(40)]).replace("'", '"')
