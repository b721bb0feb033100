"""Redrive and fork with the client: the same in memory and on the test database, event by event."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from execution_engine import (
    CompletionConfig,
    DurableContext,
    InvokeError,
    MapConfig,
    RetryPolicy,
    StepError,
    durable_execution,
)
from execution_engine.core.errors import CallbackNotFoundError, ExecutionAlreadyStartedError, ExecutionSucceededError, InvalidInputError
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest
from tests.execution_engine.testing.test_same_as_production import comparable

pytestmark = pytest.mark.django_db

UUIDS = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
broken: set[str] = set()
bodies: list[str] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    broken.clear()
    bodies.clear()


@pytest.fixture(params=["memory", "database"])
def client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    return DurableExecutionTestClient(database=request.param == "database")


def step(context: DurableContext, name: str, attempts: int = 1) -> str:
    def body() -> str:
        bodies.append(name)
        if name in broken:
            raise ValueError(f"{name} is broken")
        return name

    return context.step(name, body, retry=RetryPolicy(max_attempts=attempts, initial_interval=2, backoff=1))


def grouped(event: Any, context: DurableContext) -> Any:
    try:
        step(context, "caught")
    except StepError:
        bodies.append("handled")
    context.wait(60)
    inner = context.run_in_child_context(lambda child: [step(child, "inside"), step(child, "deep", attempts=2)], name="group")
    return [str(context.uuid()), inner, step(context, "last"), event]


def asks(event: Any, context: DurableContext) -> Any:
    sent: list[str] = []
    return context.wait_for_callback(lambda callback_id, _: sent.append(callback_id), name="person")


def maps(event: Any, context: DurableContext) -> Any:
    config = MapConfig(completion_config=CompletionConfig.all_completed(), max_concurrency=1)
    batch = context.map([1, 2, 3], lambda child, item, index, _: step(child, f"item-{item}"), name="all", config=config)
    batch.throw_if_error()
    return batch.get_results()


@durable_execution(name="testing-kit-redriven-child")
def child(event: Any, context: DurableContext) -> list[str]:
    return [step(context, "child-first"), step(context, "child-last")]


def parent(event: Any, context: DurableContext) -> Any:
    answer = context.invoke("testing-kit-redriven-child", None, name="call")
    return [answer, step(context, "after")]


def finish(execution: ExecutionUnderTest) -> ExecutionUnderTest:
    execution.run_until_complete()
    return execution


def test_only_the_cause_runs_again_with_fresh_attempts(client: DurableExecutionTestClient) -> None:
    broken.update({"caught", "deep"})
    execution = finish(client.start_execution(grouped, 1))
    assert bodies.count("deep") == 2
    before = execution.events
    bodies.clear()
    execution.redrive(reason="once more")
    assert execution.status == "RUNNING" and execution.events[: len(before)] == before
    finish(execution)
    assert (execution.status, bodies.count("deep")) == ("FAILED", 2), "attempts are fresh"
    broken.clear()
    bodies.clear()
    execution.redrive()
    finish(execution)
    assert bodies == ["handled", "deep", "last"]
    assert execution.get_result()[1:] == [["inside", "deep"], "last", 1]
    details = [event["ExecutionRedrivenDetails"] for event in execution.events if event["EventType"] == "ExecutionRedriven"]
    assert [(one["RedriveCount"], one.get("Reason")) for one in details] == [(1, "once more"), (2, None)]


def test_from_an_operation_with_another_result_or_input(client: DurableExecutionTestClient) -> None:
    execution = finish(client.start_execution(grouped, "old"))
    first = execution.get_result()
    before = execution.events
    with pytest.raises(ExecutionSucceededError):
        execution.redrive()
    with pytest.raises(InvalidInputError):
        execution.redrive(from_operation="group", result=1)
    assert (execution.events, execution.status) == (before, "SUCCEEDED"), "nothing half done"
    execution.redrive(from_operation="inside", result="by hand", input="new")
    finish(execution)
    assert execution.get_result() == [first[0], ["by hand", "deep"], "last", "new"]
    assert execution.events[: len(before)] == before
    assert bodies.count("inside") == 1


def test_a_failed_callback_waits_under_a_new_id(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(asks)
    (first,) = execution.get_pending_callbacks()
    first.fail("no")
    assert execution.status == "FAILED"
    execution.redrive()
    (second,) = execution.get_pending_callbacks()
    assert second.callback_id != first.callback_id
    with pytest.raises(CallbackNotFoundError):
        first.complete("late")
    second.complete("yes")
    assert execution.get_result() == "yes"


def test_failed_items_of_a_map_run_again(client: DurableExecutionTestClient) -> None:
    broken.add("item-2")
    execution = finish(client.start_execution(maps))
    broken.clear()
    bodies.clear()
    execution.redrive()
    assert (finish(execution).get_result(), bodies) == (["item-1", "item-2", "item-3"], ["item-2"])


def test_a_failed_child_is_redriven_with_its_parent(client: DurableExecutionTestClient) -> None:
    broken.add("child-last")
    execution = finish(client.start_execution(parent))
    with pytest.raises(Exception, match="child-last is broken"):
        execution.get_result()
    broken.clear()
    bodies.clear()
    execution.redrive()
    assert finish(execution).get_result() == [["child-first", "child-last"], "after"]
    assert bodies == ["child-last", "after"]


def test_a_stopped_execution_goes_on(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(asks)
    execution.stop()
    execution.redrive()
    execution.get_pending_callbacks()[0].complete("yes")
    assert execution.get_result() == "yes"


def test_a_fork_keeps_what_was_done_and_the_seed(client: DurableExecutionTestClient) -> None:
    broken.add("last")
    execution = finish(client.start_execution(grouped, "old"))
    before = execution.events
    broken.clear()
    bodies.clear()
    forked = execution.fork(name="again", input="new")
    assert (bodies, forked.name, execution.status) == (["last"], "again", "FAILED")
    assert execution.events == before
    assert forked.get_result()[1:] == [["inside", "deep"], "last", "new"]
    again = forked.fork(from_operation="inside")
    assert finish(again).get_result()[0] == forked.get_result()[0], "the seed is the origin's"
    with pytest.raises(ExecutionAlreadyStartedError):
        execution.fork(name="again")
    assert forked.events[0]["ExecutionStartedDetails"]["ForkedFrom"] == execution.execution_id
    assert [event["EventId"] for event in forked.events] == list(range(1, len(forked.events) + 1))


def test_a_fork_of_a_waiting_execution_waits_by_itself(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(asks)
    forked = execution.fork()
    assert forked.get_pending_callbacks()[0].callback_id != execution.get_pending_callbacks()[0].callback_id
    forked.get_pending_callbacks()[0].complete("fork")
    assert (forked.get_result(), execution.status) == ("fork", "RUNNING")


def fails_twice(client: DurableExecutionTestClient) -> list[ExecutionUnderTest]:
    broken.update({"caught", "deep"})
    execution = finish(client.start_execution(grouped, 1))
    finish_after(execution, execution.redrive)
    broken.clear()
    finish_after(execution, execution.redrive)
    execution.redrive(from_operation="group", input=2)
    forked = finish(execution).fork(from_operation="deep", input=3)
    return [execution, finish(forked)]


def children_and_callbacks(client: DurableExecutionTestClient) -> list[ExecutionUnderTest]:
    broken.update({"child-last", "item-2"})
    family, batch, person = (finish(client.start_execution(one)) for one in (parent, maps, asks))
    person.get_pending_callbacks()[0].fail("no")
    broken.clear()
    for execution in (family, batch, person):
        finish_after(execution, execution.redrive)
    person.get_pending_callbacks()[0].complete("yes")
    return [family, batch, person, family.fork(from_operation="after"), person.fork(from_operation="person")]


def finish_after(execution: ExecutionUnderTest, act: Callable[[], None]) -> None:
    act()
    finish(execution)


@pytest.mark.parametrize("story", [fails_twice, children_and_callbacks])
def test_both_places_write_the_same_history(story: Callable[[DurableExecutionTestClient], list[ExecutionUnderTest]]) -> None:
    found = []
    for database in (False, True):
        bodies.clear()
        executions = story(DurableExecutionTestClient(database=database))
        found.append([shown(execution) for execution in executions])
    for in_memory, on_database in zip(*found, strict=True):
        assert on_database == in_memory


def shown(execution: ExecutionUnderTest) -> list[Any]:
    operations = [(o.id, o.status, o.attempt, o.start_event) for o in execution.operations]
    events = [UUIDS.sub("*", json.dumps(event)) for event in comparable(execution.events)]
    return [*events, *sorted(operations)]


def test_a_redriven_error_of_a_child_reaches_the_handler(client: DurableExecutionTestClient) -> None:
    def catches(event: Any, context: DurableContext) -> str:
        try:
            context.invoke("testing-kit-redriven-child", None)
        except InvokeError as error:
            return error.message
        return "fine"

    broken.add("child-first")
    execution = finish(client.start_execution(catches))
    assert execution.get_result() == "child-first is broken"
    broken.clear()
    execution.redrive(from_operation=execution.operations[0].id)
    assert finish(execution).get_result() == "fine"
