"""Operators who pause, resume, stop and redrive at random while workers run: nothing is lost, doubled or stuck (F18, F19)."""

import time
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.core.clock import DatabaseClock
from execution_engine.core.enums import EventType
from execution_engine.core.errors import CommandError
from execution_engine.core.records import HistoryEvent
from execution_engine.journal import claims, connections, flush
from execution_engine.journal.claims import Claimer
from execution_engine.journal.lane import Entry, Lane
from execution_engine.models import Event, Execution, FunctionVersion, Operation
from execution_engine.services import executions, repairs
from execution_engine.services.redrive import redrive_execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.services.operators import operate_at_random
from tests.waiting import wait_until

STEPS, EXECUTIONS = 8, 24
ledger: list[tuple[str, int]] = []


@durable_execution(name="test-repairs-race")
def handler(event: Any, context: DurableContext) -> int:
    def body(number: int) -> int:
        time.sleep(0.02)
        ledger.append((event, number))
        return number

    for number in range(STEPS):
        context.step(lambda number=number: body(number), name=f"step-{number}")
        if number % 3 == 2:
            context.wait(1, name=f"wait-{number}")
    return STEPS


def bring_home(ids: list[UUID]) -> None:
    for execution_id in ids:
        for act in (redrive_execution, repairs.resume_execution):
            try:
                act(execution_id)
            except CommandError:
                continue


@pytest.mark.parametrize("seed", [1, 2])
def test_random_operators_lose_and_double_nothing(runtime: Runtime, seed: int) -> None:
    ledger.clear()
    ids = [executions.start_execution("test-repairs-race", f'"{number}"').id for number in range(EXECUTIONS)]
    acts = [repairs.pause_execution, repairs.resume_execution, repairs.resume_execution, executions.stop_execution, redrive_execution]
    operate_at_random(lambda rng: rng.choice(acts)(rng.choice(ids)), seed=seed, operators=4)
    bring_home(ids)
    wait_until(lambda: not Execution.objects.exclude(status="SUCCEEDED").exists())
    for execution_id in ids:
        events = list(Event.objects.filter(execution_id=execution_id).order_by("event_id").values_list("event_id", "type", "operation_id"))
        assert [event_id for event_id, _, _ in events] == list(range(1, len(events) + 1))
        kinds = Counter((kind, operation) for _, kind, operation in events)
        assert all(count == 1 for (kind, _), count in kinds.items() if kind in ("StepSucceeded", "WaitSucceeded"))
        assert Operation.objects.filter(execution_id=execution_id, status="SUCCEEDED").count() == STEPS + 2
        runs = kinds["ExecutionStopped", None] + kinds["ExecutionSucceeded", None]
        assert runs == kinds["ExecutionRedriven", None] + 1
    bodies = Counter(ledger)
    assert set(bodies) == {(str(number), step) for number in range(EXECUTIONS) for step in range(STEPS)}


def test_writes_of_a_frozen_worker_are_refused_after_a_redrive(transactional_db: None) -> None:
    """The old invocation comes back after stop and redrive: its claim is nobody's."""
    started = executions.start_execution("test-repairs-race", '"x"')
    version = FunctionVersion.objects.get(function="test-repairs-race").id
    with connections.connect("test") as own:
        [claim] = claims.claim(own, Claimer(versions=[version], worker=uuid4(), limit=1, claim_seconds=30))
        executions.stop_execution(started.id)
        redrive_execution(started.id)
        clock = DatabaseClock()
        clock.set(claim.now)
        lane = Lane(claim.execution_id, claim.claim_id, clock, claim.checkpoint_seq, claim.wake_seq, claim.told_seq)
        before = list(Event.objects.values())
        for _ in range(20):
            entry = Entry([], claim.now, events=(HistoryEvent(EventType.INVOCATION_COMPLETED),))
            accepted, _ = flush.send(own, [flush.Batch(lane, (entry,), {})])
            assert accepted == {}
    assert list(Event.objects.values()) == before
