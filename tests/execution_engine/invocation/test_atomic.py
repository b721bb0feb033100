"""DESIGN 3.16: an atomic step's ORM writes and its checkpoint are one commit, exactly once."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group

from execution_engine import DurableContext, RetryPolicy, StepConfig, durable_execution
from execution_engine.models import Event, Operation
from execution_engine.services import executions
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE

inside = threading.Event()
go_on = threading.Event()
tries: list[int] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    inside.clear()
    go_on.clear()
    tries.clear()


@durable_execution(name="test-atomic")
def writes(event: Any, context: DurableContext) -> int:
    group = context.step(lambda: Group.objects.create(name=event["name"]).pk, name="write", config=StepConfig(atomic=True))
    return context.step(lambda: group, name="after")


@durable_execution(name="test-atomic-fails")
def fails_first(event: Any, context: DurableContext) -> int:
    def write() -> int:
        tries.append(1)
        Group.objects.create(name=f"try-{len(tries)}")
        if len(tries) == 1:
            raise ValueError("not yet")
        return len(tries)

    return context.step("write", write, config=StepConfig(atomic=True), retry=RetryPolicy(max_attempts=2, initial_interval=1))


@durable_execution(name="test-atomic-stopped")
def stopped_inside(event: Any, context: DurableContext) -> None:
    def write() -> None:
        Group.objects.create(name="never")
        inside.set()
        go_on.wait(PATIENCE)

    context.step("write", write, config=StepConfig(atomic=True))


def test_the_write_and_the_checkpoint_are_one_commit(runtime: Runtime) -> None:
    handle = writes.start({"name": "together"})

    assert handle.result(timeout=PATIENCE) == Group.objects.get(name="together").pk
    operations = dict(Operation.objects.filter(execution_id=handle.id).values_list("name", "status"))
    assert operations == {"write": "SUCCEEDED", "after": "SUCCEEDED"}


def test_a_failed_attempt_leaves_no_write(runtime: Runtime) -> None:
    handle = fails_first.start({})

    assert handle.result(timeout=PATIENCE) == 2
    assert list(Group.objects.filter(name__startswith="try-").values_list("name", flat=True)) == ["try-2"]
    types = list(Event.objects.filter(execution_id=handle.id, type__startswith="Step").order_by("event_id").values_list("type", flat=True))
    assert types == ["StepStarted", "StepFailed", "StepStarted", "StepSucceeded"]


def test_a_stop_inside_the_step_rolls_the_write_back(runtime: Runtime) -> None:
    handle = stopped_inside.start({})
    assert inside.wait(PATIENCE)

    executions.stop_execution(handle.id)
    go_on.set()
    runtime.stop()

    assert not Group.objects.filter(name="never").exists()
    assert not Operation.objects.filter(execution_id=handle.id).exists()
    assert handle.status() == "STOPPED"
