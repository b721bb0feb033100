"""What was written stays as it was: the history of an execution reads the same after redrives, whatever they replace or remove."""

import json
from typing import Any
from uuid import UUID

import pytest

from execution_engine import DurableContext, StepError, durable_execution
from execution_engine.core.records import ErrorObject
from execution_engine.models import Event, Execution, Operation
from execution_engine.selectors.events import list_event_rows
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.services.fork import fork_execution
from execution_engine.services.redrive import plan_redrive, redrive_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.execution_engine.services.test_redrive import bodies, broken, ended, fresh, names, step
from tests.waiting import wait_until

__all__ = ["fresh"]


@durable_execution(name="test-history-kept")
def handler(event: Any, context: DurableContext) -> Any:
    inner = context.run_in_child_context(lambda child: [step(child, "inside"), step(child, "deep")], name="group")
    return [inner, step(context, "last"), event]


@durable_execution(name="test-history-undoes")
def undoes(event: Any, context: DurableContext) -> str:
    step(context, "pay")
    try:
        step(context, "ship")
    except StepError:
        step(context, "refund")
        raise
    return "shipped"


@durable_execution(name="test-history-waits")
def waits(event: Any, context: DurableContext) -> str:
    try:
        step(context, "caught")
    except StepError:
        bodies.append("handled")
    return f"got {context.create_callback(name='answer').result()}"


def operation(execution_id: UUID, name: str) -> str:
    return Operation.objects.get(execution_id=execution_id, name=name).id


def redriven(execution_id: UUID, **asked: Any) -> list[dict[str, Any]]:
    """Redrives it to its end; the whole history, whose beginning must be what it was. Returns what came after it."""
    before, shown = list_events(execution_id), titles(execution_id)
    redrive_execution(execution_id, **asked)
    assert list_events(execution_id)[: len(before)] == before, "before anything ran again"
    wait_until(lambda: Execution.objects.get(id=execution_id).ended_at is not None)
    events = list_events(execution_id)
    assert events[: len(before)] == before
    assert titles(execution_id)[: len(before)] == shown
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    return events[len(before) :]


def titles(execution_id: UUID) -> list[str | None]:
    return [row.operation_title for row in list_event_rows(execution_id, limit=500).items]


def test_removed_operations_keep_their_names_types_and_results(runtime: Runtime) -> None:
    execution_id = ended("test-history-kept", '"in"')
    added = redriven(execution_id, from_operation=operation(execution_id, "group"))
    assert [event["Name"] for event in added if event["EventType"] == "StepStarted"] == ["inside", "deep", "last"]
    assert not any("Kept" in json.dumps(event, default=str) for event in list_events(execution_id))
    assert not any("Kept" in row.details for row in list_event_rows(execution_id, limit=500).items)


def test_every_value_that_was_replaced_stays_readable_over_many_redrives(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = ended("test-history-kept", '"first input"')
    inside = operation(execution_id, "inside")
    by_hand = {"replaces_result": True, "result_text": '"by hand"'}
    (one, *_) = redriven(execution_id, from_operation=inside, input_text='"second input"', **by_hand)
    details = one["ExecutionRedrivenDetails"]
    assert json.loads(details["Previous"]["Payload"]) == {"Result": '"inside"', "Input": '"first input"'}
    assert json.loads(details["Replacement"]["Payload"]) == {"Result": '"by hand"', "Input": '"second input"'}
    broken.clear()
    redriven(execution_id, from_operation=operation(execution_id, "group"), input_text='"third input"')
    assert list_events(execution_id)[0]["ExecutionStartedDetails"]["Input"]["Payload"] == '"first input"'
    assert Execution.objects.get(id=execution_id).result == '[["inside", "deep"], "last", "third input"]'
    hidden = list_events(execution_id, include_data=False)
    assert "by hand" not in json.dumps(hidden, default=str)


def test_an_end_without_an_error_does_not_borrow_a_later_one(runtime: Runtime) -> None:
    broken.add("caught")
    started = executions.start_execution("test-history-waits", None)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="CALLBACK").exists())
    wait_until(lambda: Execution.objects.get(id=started.id).claim_id is None)
    executions.stop_execution(started.id)
    before = list_events(started.id)
    redrive_execution(started.id)
    callbacks.fail_callback(Operation.objects.get(execution_id=started.id, type="CALLBACK").callback_id or "", ErrorObject(message="no"))
    wait_until(lambda: status(started.id) == "FAILED")
    assert list_events(started.id)[: len(before)] == before


def test_a_stop_has_no_cause_and_what_was_caught_stays_caught(runtime: Runtime) -> None:
    broken.add("caught")
    started = executions.start_execution("test-history-waits", None)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="CALLBACK").exists())
    wait_until(lambda: Execution.objects.get(id=started.id).claim_id is None)
    executions.stop_execution(started.id, ErrorObject(message="caught is broken"))
    plan = plan_redrive(started.id)
    assert (names(plan.reopened), names(plan.kept), names(plan.rearmed)) == ([], ["caught", "answer"], ["answer"])
    broken.clear()
    redrive_execution(started.id)
    callbacks.succeed_callback(Operation.objects.get(execution_id=started.id, type="CALLBACK").callback_id or "", "yes")
    wait_until(lambda: status(started.id) == "SUCCEEDED")
    assert bodies.count("caught") == 1


def test_a_failure_that_was_undone_is_not_reopened_but_can_be_chosen(runtime: Runtime) -> None:
    broken.add("ship")
    execution_id = ended("test-history-undoes")
    assert status(execution_id) == "FAILED"
    assert names(plan_redrive(execution_id).reopened) == []
    broken.clear()
    bodies.clear()
    redriven(execution_id)
    assert (status(execution_id), bodies) == ("FAILED", []), "the handler raises what it had raised, without a divergence"
    error = json.loads(Execution.objects.get(id=execution_id).error or "{}")
    assert error["ErrorMessage"] == "ship is broken"
    redriven(execution_id, from_operation=operation(execution_id, "pay"))
    assert (status(execution_id), bodies) == ("SUCCEEDED", ["pay", "ship"])


def test_a_fork_copies_the_latest_run_of_a_redriven_execution(runtime: Runtime) -> None:
    execution_id = ended("test-history-kept", '"in"')
    redriven(execution_id, from_operation=operation(execution_id, "deep"))
    bodies.clear()
    forked = fork_execution(execution_id, from_operation=operation(execution_id, "last"))
    wait_until(lambda: status(forked.id) == "SUCCEEDED")
    assert bodies == ["last"]
    events = list_events(forked.id)
    assert [event["EventType"] for event in events if event.get("Name") == "deep"] == ["StepStarted", "StepSucceeded"]
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.django_db
def test_events_of_untouched_operations_are_not_written_again() -> None:
    started = executions.start_execution("test-history-kept", "1")
    executions.stop_execution(started.id)
    redrive_execution(started.id)
    kept = [event.event_id for event in Event.objects.filter(execution_id=started.id) if "Kept" in (event.details or "")]
    assert kept == [2]
