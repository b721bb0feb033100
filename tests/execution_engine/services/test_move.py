"""Moving an open execution to another version of its function, on PostgreSQL with a real runtime."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from execution_engine import DurableContext, durable_execution
from execution_engine.core.errors import (
    ExecutionChangedError,
    ExecutionDivergesError,
    ExecutionEndedError,
    ExecutionNotFoundError,
    FunctionNotFoundError,
    InvalidInputError,
)
from execution_engine.invocation.rehearsal import stored
from execution_engine.journal import functions
from execution_engine.models import Execution, Operation
from execution_engine.sdk import registry
from execution_engine.selectors.history import list_events
from execution_engine.services import executions, move, repairs, signals
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.waiting import PATIENCE, wait_until

NAME = "test-move"
bodies: list[str] = []
entered, release = threading.Event(), threading.Event()


def flow(second: str, *, holds: bool = False) -> Callable[[Any, DurableContext], Any]:
    def body(name: str) -> str:
        bodies.append(name)
        if holds and name == "one":
            entered.set()
            release.wait(PATIENCE)
        return name

    def handler(event: Any, context: DurableContext) -> Any:
        context.step("one", lambda: body("one"))
        context.wait_for_signal("go")
        return context.step(second, lambda: body(second))

    return handler


@durable_execution(name=NAME, version="other")
def other(event: Any, context: DurableContext) -> Any:
    context.wait(60, name="elsewhere")


old = durable_execution(name=NAME, version="old")(flow("two", holds=True))
new = durable_execution(name=NAME, version="new")(flow("three"))
last = durable_execution(name=NAME, version="last")(other.definition.handler)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    bodies.clear()
    entered.clear()
    release.set()
    yield
    release.set()


def waiting() -> UUID:
    started = executions.start_execution(NAME, None, version="old")
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="CALLBACK").exists())
    wait_until(lambda: Execution.objects.get(id=started.id).claim_id is None)
    return started.id


def moved_event(execution_id: UUID) -> dict[str, Any]:
    (event,) = [one for one in list_events(execution_id) if one["EventType"] == "ExecutionMoved"]
    return dict(event["ExecutionMovedDetails"])


def test_it_goes_on_with_the_other_version(runtime: Runtime) -> None:
    execution_id = waiting()
    plan = move.move_execution(execution_id, "new", reason="fixed")
    assert (plan.from_version, plan.to_version, plan.rehearsal.verdict) == ("old", "new", "fits")
    assert Execution.objects.get(id=execution_id).version == "new"
    signals.send_signal(execution_id, "go", None)
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == ["one", "three"]
    assert moved_event(execution_id) == {"FromVersion": "old", "ToVersion": "new", "Verdict": "fits", "Reason": "fixed"}
    ids = [event["EventId"] for event in list_events(execution_id)]
    assert ids == list(range(1, len(ids) + 1))


def test_what_does_not_fit_is_refused_and_changes_nothing(runtime: Runtime) -> None:
    execution_id = waiting()
    before = Execution.objects.values().get(id=execution_id)
    with pytest.raises(ExecutionDivergesError, match="the history has STEP 'one', the code now asks for WAIT 'elsewhere'") as refused:
        move.move_execution(execution_id, "other", reason="because")
    assert refused.value.facts["verdict"] == "diverges" and "elsewhere" in refused.value.facts["diverging"][0]
    with pytest.raises(InvalidInputError, match="needs a reason"):
        move.move_execution(execution_id, "other", force=True)
    assert Execution.objects.values().get(id=execution_id) == before


def test_by_force_it_moves_and_fails_as_it_was_said(runtime: Runtime) -> None:
    execution_id = waiting()
    assert move.move_execution(execution_id, "other", reason="I know", force=True).rehearsal.verdict == "diverges"
    wait_until(lambda: status(execution_id) == "FAILED")
    assert "NonDeterministicExecutionError" in str(Execution.objects.get(id=execution_id).error)
    assert moved_event(execution_id)["Verdict"] == "diverges"


def test_whoever_runs_it_loses_the_claim_and_the_step_is_done_again(runtime: Runtime) -> None:
    release.clear()
    started = executions.start_execution(NAME, None, version="old")
    entered.wait(PATIENCE)
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, name="one").exists())
    plan = move.move_execution(started.id, "new")
    assert [one.name for one in plan.rehearsal.effects] == ["one"]
    wait_until(lambda: Operation.objects.filter(execution_id=started.id, type="CALLBACK").exists())
    release.set()
    wait_until(lambda: Execution.objects.get(id=started.id).claim_id is None)
    assert bodies == ["one", "one"]
    kinds = [event["EventType"] for event in list_events(started.id)]
    at = kinds.index("ExecutionMoved")
    assert kinds[at - 1] == "InvocationCompleted" and kinds.count("StepSucceeded") == 1


@pytest.mark.django_db(transaction=True)
def test_a_paused_one_stays_paused_and_is_owed_an_invocation() -> None:
    started = unserved("old")
    repairs.pause_execution(started)
    move.move_execution(started, "new")
    row = Execution.objects.get(id=started)
    assert (row.status, row.version, row.wake_seq == row.told_seq) == ("PAUSED", "new", False)
    repairs.resume_execution(started)
    assert Execution.objects.get(id=started).due_at is not None


def unserved(version: str) -> UUID:
    """An execution that no worker runs, of versions that are registered."""
    with connection.cursor() as cursor:
        for one in (old, new, last, other):
            functions.register(cursor, one.definition)
    return executions.start_execution(NAME, None, version=version).id


@pytest.mark.django_db(transaction=True)
def test_a_stranded_one_is_moved_to_what_is_served() -> None:
    """Nobody has the old code any more: it need not be there."""
    with connection.cursor() as cursor:
        functions.register(cursor, replace(old.definition, version="gone"))
        functions.register(cursor, new.definition)
    started = executions.start_execution(NAME, None, version="gone").id
    assert registry.find_function(NAME, "gone") is None
    assert move.plan_move(started, "new").rehearsal.verdict == "fits"
    move.move_execution(started, "new")
    assert Execution.objects.get(id=started).version == "new"


@pytest.mark.django_db(transaction=True)
def test_bad_wishes_are_refused() -> None:
    started = unserved("old")
    with pytest.raises(InvalidInputError, match="runs with version old already"):
        move.move_execution(started, "old")
    with pytest.raises(FunctionNotFoundError):
        move.move_execution(started, "none")
    with pytest.raises(ExecutionNotFoundError):
        move.plan_move(UUID(int=1), "new")
    with pytest.raises(InvalidInputError, match="NUL"):
        move.move_execution(started, "new", reason="\x00")
    with connection.cursor() as cursor:
        functions.register(cursor, replace(old.definition, version="unloaded"))
    with pytest.raises(ExecutionDivergesError, match="does not know this version"):
        move.move_execution(started, "unloaded")
    executions.stop_execution(started)
    with pytest.raises(ExecutionEndedError):
        move.move_execution(started, "new")


@pytest.mark.django_db(transaction=True)
def test_one_that_goes_on_all_the_time_is_not_moved_on_old_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    started = unserved("old")
    read = stored.read

    def read_and_go_on(execution_id: UUID) -> stored.Stored:
        found = read(execution_id)
        repairs.pause_execution(execution_id)
        repairs.resume_execution(execution_id)
        return found

    monkeypatch.setattr(stored, "read", read_and_go_on)
    with pytest.raises(ExecutionChangedError, match="pause it first"):
        move.move_execution(started, "new")
    assert Execution.objects.get(id=started).version == "old"
