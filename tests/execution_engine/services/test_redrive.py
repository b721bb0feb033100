"""Redrive on PostgreSQL with a real runtime: what finished is not run again, what failed is."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from execution_engine import DurableContext, RetryPolicy, durable_execution
from execution_engine.core.errors import (
    CallbackCompletedError,
    CallbackNotFoundError,
    ExecutionNotEndedError,
    ExecutionSucceededError,
    InvalidInputError,
)
from execution_engine.core.records import ErrorObject
from execution_engine.models import Execution, Operation
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.services.redrive import plan_redrive, redrive_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.waiting import wait_until

History = Callable[[UUID], list[str]]
bodies: list[str] = []
broken: set[str] = set()
ONCE = RetryPolicy(max_attempts=1)


def body(name: str) -> str:
    bodies.append(name)
    if name in broken:
        raise ValueError(f"{name} is broken")
    return name


def step(context: DurableContext, name: str) -> str:
    return context.step(name, lambda: body(name), retry=ONCE)


@durable_execution(name="test-redrive", execution_timeout=3600)
def handler(event: Any, context: DurableContext) -> Any:
    first = step(context, "first")
    try:
        step(context, "caught")
    except Exception:
        bodies.append("handled")
    inner = context.run_in_child_context(lambda child: [step(child, "inside"), step(child, "deep")], name="group")
    return [first, inner, step(context, "last"), event]


@durable_execution(name="test-redrive-callback")
def waits(event: Any, context: DurableContext) -> str | None:
    sent = context.wait_for_callback(lambda callback_id: bodies.append(callback_id), name="answer")
    return f"got {sent}"


@durable_execution(name="test-redrive-bug")
def has_bug(event: Any, context: DurableContext) -> str:
    first = step(context, "first")
    if "code" in broken:
        raise TypeError("a bug")
    return first


@pytest.fixture(autouse=True)
def fresh() -> None:
    bodies.clear()
    broken.clear()


def ended(name: str, input_text: str | None = None) -> UUID:
    started = executions.start_execution(name, input_text)
    wait_until(lambda: Execution.objects.get(id=started.id).ended_at is not None)
    return started.id


def names(records: Any) -> list[str]:
    return [record.name for record in records]


def test_only_the_cause_chain_runs_again(runtime: Runtime, history: History) -> None:
    broken.update({"caught", "deep"})
    execution_id = ended("test-redrive", '"in"')
    assert status(execution_id) == "FAILED"
    plan = plan_redrive(execution_id)
    assert (names(plan.kept), names(plan.reopened)) == (["first", "caught", "inside"], ["group", "deep"])
    before = list_events(execution_id)
    broken.clear()
    bodies.clear()
    redriven = redrive_execution(execution_id, reason="deployed a fix")
    assert redriven.redrive_count == 1
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == ["handled", "deep", "last"]
    events = list_events(execution_id)
    assert events[: len(before)] == before
    assert [e["EventId"] for e in events] == list(range(1, len(events) + 1))
    assert events[len(before)]["ExecutionRedrivenDetails"]["Reason"] == "deployed a fix"
    assert Execution.objects.get(id=execution_id).result == '["first", ["inside", "deep"], "last", "in"]'
    kinds = [e["EventType"] for e in events if e.get("Name") == "deep"]
    assert kinds == ["StepStarted", "StepFailed", "StepStarted", "StepSucceeded"]


def test_it_may_fail_again_and_be_redriven_again(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = ended("test-redrive")
    redrive_execution(execution_id)
    wait_until(lambda: status(execution_id) == "FAILED")
    broken.clear()
    assert redrive_execution(execution_id).redrive_count == 2
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies.count("first") == 1
    assert bodies.count("last") == 3
    errors = [
        e["StepFailedDetails"]["Error"]["Payload"]["ErrorMessage"] for e in list_events(execution_id) if e["EventType"] == "StepFailed"
    ]
    assert errors == ["last is broken"] * 2


def test_a_fixed_bug_of_the_handler_needs_no_operation(runtime: Runtime) -> None:
    broken.add("code")
    execution_id = ended("test-redrive-bug")
    assert names(plan_redrive(execution_id).reopened) == []
    broken.clear()
    redrive_execution(execution_id)
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == ["first"]


def test_failed_callback_waits_under_a_new_id_that_is_handed_out_again(runtime: Runtime) -> None:
    started = executions.start_execution("test-redrive-callback", None)
    wait_until(lambda: bodies)
    callbacks.fail_callback(bodies[0], ErrorObject(message="no"))
    wait_until(lambda: status(started.id) == "FAILED")
    redrive_execution(started.id)
    wait_until(lambda: len(bodies) == 2)
    assert bodies[0] != bodies[1]
    with pytest.raises((CallbackNotFoundError, CallbackCompletedError)):
        callbacks.succeed_callback(bodies[0], '"late"')
    callbacks.succeed_callback(bodies[1], "yes")
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert Execution.objects.get(id=started.id).result == '"got yes"'


def test_stopped_execution_goes_on_with_its_timers_anew(runtime: Runtime) -> None:
    started = executions.start_execution("test-redrive-callback", None)
    wait_until(lambda: bodies and Execution.objects.get(id=started.id).claim_id is None)
    executions.stop_execution(started.id, ErrorObject(message="by hand"))
    redrive_execution(started.id)
    callbacks.succeed_callback(bodies[0], "yes")
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert len(bodies) == 1


def test_from_a_chosen_operation_everything_after_it_runs_again(runtime: Runtime) -> None:
    execution_id = ended("test-redrive")
    deep = Operation.objects.get(execution_id=execution_id, name="deep").id
    for attempt in (plan_redrive, redrive_execution):
        with pytest.raises(ExecutionSucceededError):
            attempt(execution_id)
    plan = plan_redrive(execution_id, from_operation=deep)
    assert (names(plan.kept), names(plan.reopened), names(plan.removed)) == (["first", "caught", "inside"], ["group"], ["deep", "last"])
    bodies.clear()
    redrive_execution(execution_id, from_operation=deep)
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == ["deep", "last"]
    assert [e["EventId"] for e in list_events(execution_id)] == list(range(1, len(list_events(execution_id)) + 1))


@pytest.mark.parametrize("by_hand", ['"by hand"', '{"by": "hand", "times": [1, {"a": null}]}'])
def test_saved_result_and_input_can_be_replaced_and_both_values_are_kept(runtime: Runtime, by_hand: str) -> None:
    broken.add("last")
    execution_id = ended("test-redrive", '"old input"')
    first = Operation.objects.get(execution_id=execution_id, name="first").id
    broken.clear()
    bodies.clear()
    redrive_execution(execution_id, from_operation=first, replaces_result=True, result_text=by_hand, input_text='"new input"')
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert "first" not in bodies
    assert Execution.objects.get(id=execution_id).result == f'[{by_hand}, ["inside", "deep"], "last", "new input"]'
    details = next(e["ExecutionRedrivenDetails"] for e in list_events(execution_id) if e["EventType"] == "ExecutionRedriven")
    assert details["ReplacedResultOf"] == first
    assert json.loads(details["Previous"]["Payload"]) == {"Result": '"first"', "Input": '"old input"'}


@pytest.mark.django_db
def test_what_cannot_be_redriven() -> None:
    started = executions.start_execution("test-redrive", None)
    for attempt in (plan_redrive, redrive_execution):
        with pytest.raises(ExecutionNotEndedError):
            attempt(started.id)
    executions.stop_execution(started.id)
    with pytest.raises(InvalidInputError):
        redrive_execution(started.id, from_operation="nobody")
    with pytest.raises(InvalidInputError):
        redrive_execution(started.id, replaces_result=True, result_text="1")
    assert status(started.id) == "STOPPED"
