"""A handler that stands still while its execution is stopped and redriven, and then goes on: none of its writes is accepted."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group

from execution_engine import DurableContext, StepConfig, StepSemantics, durable_execution
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import executions
from execution_engine.services.redrive import redrive_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.waiting import PATIENCE, wait_until

visits: list[str] = []
refusals: list[str] = []
entered, thaw, left = threading.Event(), threading.Event(), threading.Event()


def make_group(name: str) -> str:
    return Group.objects.create(name=f"{name} {len(visits)}").name


WRITES: dict[str, Callable[[DurableContext], Any]] = {
    "nothing": lambda context: "its end",
    "step": lambda context: context.step("write", lambda: 1),
    "at most once": lambda context: context.step(
        "write", lambda: 1, config=StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    ),
    "large step": lambda context: len(context.step("write", lambda: "x" * 400_000)),
    "atomic step": lambda context: context.step("write", lambda: make_group("frozen"), config=StepConfig(atomic=True)),
    "wait": lambda context: context.wait(1),
    "callback": lambda context: context.create_callback("write").callback_id,
    "signal": lambda context: context.wait_for_signal("never", timeout=1, on_timeout="assumed").payload,
    "invoke": lambda context: context.invoke("test-frozen-child", None, name="write"),
    "map": lambda context: context.map([1, 2, 3], lambda child, item, index, _: child.step("write", lambda: item)).get_results(),
    "child context": lambda context: context.run_in_child_context("group", lambda child: child.step("write", lambda: 1)),
}


@durable_execution(name="test-frozen-child")
def child(event: Any, context: DurableContext) -> str:
    return context.step("answers", lambda: "child")


@durable_execution(name="test-frozen")
def handler(event: str, context: DurableContext) -> Any:
    visits.append(event)
    is_first = len(visits) == 1
    try:
        if is_first:
            entered.set()
            thaw.wait(PATIENCE)
        return WRITES[event](context)
    except BaseException as unwound:
        if is_first:
            refusals.append(type(unwound).__name__)
        raise
    finally:
        if is_first:
            left.set()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    visits.clear()
    refusals.clear()
    for event in (entered, thaw, left):
        event.clear()
    yield
    thaw.set()


def everything() -> list[list[dict[str, Any]]]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Event, Operation)]
    columns = ("id", "status", "event_seq", "checkpoint_seq", "wake_seq", "redrive_count", "result", "claim_id", "due_at")
    return [*rows, list(Execution.objects.order_by("id").values(*columns)), list(Group.objects.values("name"))]


@pytest.mark.parametrize("write", WRITES)
def test_nothing_that_it_writes_is_accepted(runtime: Runtime, write: str) -> None:
    started = executions.start_execution("test-frozen", f'"{write}"')
    assert entered.wait(PATIENCE)
    executions.stop_execution(started.id)
    redrive_execution(started.id)
    wait_until(lambda: status(started.id) == "SUCCEEDED" and not Execution.objects.filter(owes_parent=True).exists())
    before = everything()
    thaw.set()
    assert left.wait(PATIENCE)
    wait_until(lambda: runtime.in_flight == 0)
    assert refusals == ([] if write == "nothing" else ["ClaimLostError"])
    assert everything() == before


@pytest.mark.parametrize("write", ["step", "atomic step", "invoke"])
def test_nor_while_the_new_invocation_is_still_under_way(runtime: Runtime, write: str) -> None:
    """Old and new handler write the same operations at the same time: only the new one's count."""
    started = executions.start_execution("test-frozen", f'"{write}"')
    assert entered.wait(PATIENCE)
    executions.stop_execution(started.id)
    redrive_execution(started.id)
    wait_until(lambda: len(visits) >= 2)
    thaw.set()
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert left.wait(PATIENCE)
    wait_until(lambda: runtime.in_flight == 0)
    assert refusals == ["ClaimLostError"]
    assert Execution.objects.filter(parent_id=started.id).count() == (write == "invoke")
    assert Group.objects.filter(name__startswith="frozen").count() == (write == "atomic step")
    kinds = list(Event.objects.filter(execution_id=started.id).order_by("event_id").values_list("type", flat=True))
    assert kinds.count("ExecutionSucceeded") == 1
    assert sum(kind in ("StepSucceeded", "ChainedInvokeSucceeded") for kind in kinds) == 1
