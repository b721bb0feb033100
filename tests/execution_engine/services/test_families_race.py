"""Operators who stop, redrive and delete parents and children at random while workers run: no parent waits for ever."""

import random
import threading
import time
from contextlib import suppress
from uuid import UUID

import pytest

from execution_engine import DurableContext, RetryPolicy, durable_execution
from execution_engine.core.errors import CommandError
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import executions
from execution_engine.services.redrive import redrive_execution
from execution_engine.services.removal import delete_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.operators import operate_at_random
from tests.waiting import wait_until

PARENTS = 12
calm = threading.Event()


@durable_execution(name="test-families-child")
def child(event: int, context: DurableContext) -> int:
    def body() -> int:
        time.sleep(0.02)
        if not calm.is_set() and random.random() < 0.4:
            raise ConnectionError("a bad moment")
        return event

    return context.step("answers", body, retry=RetryPolicy(max_attempts=1))


@durable_execution(name="test-families-parent")
def parent(event: int, context: DurableContext) -> int:
    total = 0
    for number in range(3):
        total += context.invoke("test-families-child", event + number, name=f"call-{number}")
    return total


def act(rng: random.Random, parents: list[UUID]) -> None:
    """On a child or a parent; only children are deleted."""
    children = list(Execution.objects.filter(parent_id__in=parents).values_list("id", flat=True))
    chosen = rng.choice([executions.stop_execution, redrive_execution, redrive_execution, redrive_execution, delete_execution])
    among = children if chosen is delete_execution else [*children, *children, *parents]
    if among:
        chosen(rng.choice(among))


def all_home(ids: list[UUID]) -> bool:
    """Redrives what has failed; True when every parent has succeeded."""
    for execution_id in Execution.objects.filter(id__in=ids, status__in=["FAILED", "STOPPED"]).values_list("id", flat=True):
        with suppress(CommandError):
            redrive_execution(execution_id)
    return not Execution.objects.filter(id__in=ids).exclude(status="SUCCEEDED").exists()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_parent_comes_home(runtime: Runtime, seed: int) -> None:
    calm.clear()
    ids = [executions.start_execution("test-families-parent", str(10 * number)).id for number in range(PARENTS)]
    operate_at_random(lambda rng: act(rng, ids), seed=seed, operators=3)
    calm.set()
    wait_until(lambda: all_home(ids))
    wait_until(lambda: not Execution.objects.filter(owes_parent=True).exists() and not Execution.objects.filter(owes_child=True).exists())
    for number, execution_id in enumerate(ids):
        row = Execution.objects.get(id=execution_id)
        assert row.result == str(3 * 10 * number + 3)
        assert set(Operation.objects.filter(execution_id=execution_id).values_list("status", flat=True)) == {"SUCCEEDED"}
        events = list(Event.objects.filter(execution_id=execution_id).order_by("event_id").values_list("event_id", "type"))
        assert [event_id for event_id, _ in events] == list(range(1, len(events) + 1))
        kinds = [kind for _, kind in events]
        ends = sum(kind in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped") for kind in kinds)
        assert ends == 1 + kinds.count("ExecutionRedriven") == 1 + row.redrive_count
