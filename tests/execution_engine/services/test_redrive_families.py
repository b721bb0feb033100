"""Redrive through maps and chained invokes, on PostgreSQL with a real runtime."""

from typing import Any
from uuid import UUID

from execution_engine import CompletionConfig, DurableContext, MapConfig, durable_execution
from execution_engine.models import Execution
from execution_engine.selectors.history import list_events
from execution_engine.services.redrive import plan_redrive, redrive_execution
from execution_engine.services.removal import delete_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.test_pause import status
from tests.execution_engine.services.test_redrive import bodies, broken, ended, fresh, names, step
from tests.waiting import wait_until

__all__ = ["fresh"]


@durable_execution(name="test-redrive-map")
def maps(event: Any, context: DurableContext) -> list[Any]:
    config = MapConfig(completion_config=CompletionConfig.all_completed())
    batch = context.map([1, 2, 3], lambda child, item, index, items: step(child, f"item-{item}"), name="all", config=config)
    batch.throw_if_error()
    return list(batch.get_results())


@durable_execution(name="test-redrive-child")
def child(event: Any, context: DurableContext) -> list[str]:
    return [step(context, "child-first"), step(context, "child-last")]


@durable_execution(name="test-redrive-parent")
def parent(event: Any, context: DurableContext) -> list[Any]:
    before = step(context, "before")
    answer = context.invoke("test-redrive-child", {"n": 1}, name="call")
    return [before, answer, step(context, "after")]


def test_map_that_succeeded_with_failures_reruns_its_failed_items(runtime: Runtime) -> None:
    broken.add("item-2")
    execution_id = ended("test-redrive-map")
    assert status(execution_id) == "FAILED"
    plan = plan_redrive(execution_id)
    assert names(plan.reopened)[0] == "all"
    assert "item-2" in names(plan.reopened)
    assert {"item-1", "item-3"} <= set(names(plan.kept))
    broken.clear()
    bodies.clear()
    redrive_execution(execution_id)
    wait_until(lambda: status(execution_id) == "SUCCEEDED")
    assert bodies == ["item-2"]
    assert Execution.objects.get(id=execution_id).result == '["item-1", "item-2", "item-3"]'


def family() -> tuple[UUID, UUID]:
    parent_id = ended("test-redrive-parent")
    return parent_id, Execution.objects.values_list("id", flat=True).get(parent_id=parent_id)


def test_redriven_parent_redrives_its_failed_child(runtime: Runtime) -> None:
    broken.add("child-last")
    parent_id, child_id = family()
    assert (status(parent_id), status(child_id)) == ("FAILED", "FAILED")
    assert names(plan_redrive(parent_id).reopened) == ["call"]
    broken.clear()
    bodies.clear()
    redrive_execution(parent_id)
    wait_until(lambda: status(parent_id) == "SUCCEEDED")
    assert bodies == ["child-last", "after"]
    assert Execution.objects.get(id=child_id).redrive_count == 1
    assert Execution.objects.get(id=parent_id).result == '["before", ["child-first", "child-last"], "after"]'


def test_child_that_was_redriven_by_itself_answers_its_parent_again(runtime: Runtime) -> None:
    broken.add("child-last")
    parent_id, child_id = family()
    broken.clear()
    redrive_execution(child_id)
    wait_until(lambda: status(child_id) == "SUCCEEDED" and not Execution.objects.get(id=child_id).owes_parent)
    bodies.clear()
    redrive_execution(parent_id)
    wait_until(lambda: status(parent_id) == "SUCCEEDED")
    assert bodies == ["after"]


def test_child_that_is_gone_is_started_anew(runtime: Runtime) -> None:
    broken.add("child-last")
    parent_id, child_id = family()
    wait_until(lambda: not Execution.objects.get(id=child_id).owes_parent)
    delete_execution(child_id)
    broken.clear()
    bodies.clear()
    redrive_execution(parent_id)
    wait_until(lambda: status(parent_id) == "SUCCEEDED")
    assert bodies == ["child-first", "child-last", "after"]


def test_failure_of_the_child_is_written_once_per_run(runtime: Runtime) -> None:
    broken.add("child-last")
    parent_id, _ = family()
    redrive_execution(parent_id)
    wait_until(lambda: status(parent_id) == "FAILED")
    kinds = [e["EventType"] for e in list_events(parent_id) if e.get("Name") == "call"]
    assert kinds == ["ChainedInvokeStarted", "ChainedInvokeFailed", "ChainedInvokeFailed"]
