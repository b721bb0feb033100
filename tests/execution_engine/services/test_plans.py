"""Plans of redrives and forks: what they touch, and what the loaded code says to what they leave."""

from typing import Any
from uuid import UUID

import pytest

from execution_engine import DurableContext, RetryPolicy, durable_execution
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import executions
from execution_engine.services.fork import plan_fork
from execution_engine.services.redrive import plan_redrive, redrive_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.waiting import wait_until

NAME = "test-plans"
ONCE = RetryPolicy(max_attempts=1)
broken: set[str] = set()
bodies: list[str] = []


def body(name: str) -> str:
    bodies.append(name)
    if name in broken:
        raise ValueError(f"{name} is broken")
    return name


@durable_execution(name="test-plans-child")
def child_function(event: Any, context: DurableContext) -> str:
    return context.step("inside the child", lambda: body("child"), retry=ONCE)


@durable_execution(name=NAME, version="1")
def handler(event: Any, context: DurableContext) -> Any:
    context.step("first", lambda: body("first"))
    context.wait(1, name="short")
    context.invoke("test-plans-child", name="child")
    return context.step("last", lambda: body("last"), retry=ONCE)


@durable_execution(name=NAME, version="2")
def changed(event: Any, context: DurableContext) -> Any:
    context.step("first", lambda: body("first"))
    context.step("extra", lambda: body("extra"))


@pytest.fixture(autouse=True)
def fresh() -> None:
    broken.clear()
    bodies.clear()


def failed() -> UUID:
    started = executions.start_execution(NAME, None, version="1")
    wait_until(lambda: status(started.id) == "FAILED")
    return started.id


def rows() -> Any:
    return [list(model.objects.order_by("pk").values()) for model in (Execution, Operation, Event)]


def names(records: Any) -> list[str]:
    return [record.name for record in records]


def id_of(execution_id: UUID, name: str) -> str:
    return str(Operation.objects.get(execution_id=execution_id, name=name).id)


def test_a_redrive_says_what_repeats_and_does_exactly_that(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = failed()
    before, ran = rows(), list(bodies)
    plan = plan_redrive(execution_id)
    assert (rows(), bodies) == (before, ran)
    assert (names(plan.effects), names(plan.waits), names(plan.children)) == (["last"], [], [])
    assert (plan.rehearsal.verdict, names(plan.rehearsal.rerun), plan.rehearsal.divergences) == ("fits", ["last"], ())
    broken.clear()
    bodies.clear()
    redrive_execution(execution_id)
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == names(plan.effects)


def test_from_an_operation_waits_and_children_begin_anew(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = failed()
    plan = plan_redrive(execution_id, from_operation=id_of(execution_id, "short"))
    assert (names(plan.waits), names(plan.children), names(plan.effects)) == (["short"], ["child"], ["last"])
    assert [one.name for one in plan.rehearsal.next] == ["short"]


def test_a_saved_result_is_rehearsed_in_its_place(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = failed()
    plan = plan_redrive(execution_id, from_operation=id_of(execution_id, "last"), replaces_result=True, result_text='"by hand"')
    assert (plan.rehearsal.outcome, plan.rehearsal.result) == ("SUCCEEDED", '"by hand"')


def test_a_failed_child_is_redriven_with_its_parent(runtime: Runtime) -> None:
    broken.add("child")
    plan = plan_redrive(failed())
    assert (names(plan.children), names(plan.reopened), names(plan.rehearsal.children)) == (["child"], ["child"], ["child"])


def test_a_fork_to_another_version_names_what_diverges(runtime: Runtime) -> None:
    broken.add("last")
    execution_id = failed()
    assert plan_fork(execution_id).rehearsal.verdict == "fits"
    before = rows()
    plan = plan_fork(execution_id, version="2")
    assert plan.rehearsal.verdict == "diverges"
    assert "the history has WAIT 'short', the code now asks for STEP 'extra'" in str(plan.rehearsal.divergences[0])
    assert plan_fork(execution_id, version="2", from_operation=id_of(execution_id, "short")).rehearsal.verdict == "fits"
    assert rows() == before


@durable_execution(name="test-plans-open")
def asks_first(event: Any, context: DurableContext) -> Any:
    answer = context.create_callback("answer")
    context.step("first", lambda: body("first"))
    context.step("last", lambda: body("last"), retry=ONCE)
    return answer.result()


def test_a_callback_that_a_fork_asks_anew_is_not_taken_for_inserted(runtime: Runtime) -> None:
    broken.add("last")
    started = executions.start_execution("test-plans-open", None)
    wait_until(lambda: status(started.id) == "FAILED")
    plan = plan_fork(started.id)
    assert (plan.rehearsal.verdict, names(plan.kept), names(plan.waits)) == ("fits", ["first"], ["answer"])
    assert [one.name for one in plan.rehearsal.next] == ["answer"]
    assert plan_redrive(started.id).rehearsal.verdict == "fits"
