"""Random calls from outside leave the same rows and the same history as the same calls of a handler inside a worker."""

import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from execution_engine.conf import engine_settings
from execution_engine.core.enums import InvocationStatus, OperationType
from execution_engine.core.records import ErrorObject, OperationOptions, OperationRecord, OperationUpdate
from execution_engine.invocation import outcome
from execution_engine.invocation.sink import LaneSink
from execution_engine.journal import claims, connections, reader, store
from execution_engine.journal.claims import Claimer
from execution_engine.journal.lane import Lane
from execution_engine.journal.present import virtual_time
from execution_engine.models import Execution, FunctionVersion, Operation
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, checkpoints, executions
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.database_writer import DirectWriter
from tests.execution_engine.services.caller import FUNCTION, Caller, callback, context, invoke, step, update, wait

SEEDS = range(12)
CALLS = 25
ERROR = ErrorObject("no", "No")


pytestmark = pytest.mark.usefixtures("no_connections_left")


class Script:
    """Legal calls, made up one by one from the operations as they are then."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0
        self._answered: set[str] = set()

    def call(self, operations: dict[str, OperationRecord]) -> tuple[OperationUpdate, ...]:
        updates: list[OperationUpdate] = []
        busy: set[str] = set()
        for _ in range(self._random.choice((0, 1, 1, 2, 5))):
            found = [one for one in operations.values() if one.id not in busy and self._is_movable(one, operations)]
            asked = self._move(self._random.choice(found)) if found and self._random.random() < 0.55 else self._start(operations, busy)
            busy |= {one.id for one in asked} | {one.parent_id for one in asked if one.parent_id}
            updates += asked
        return tuple(updates)

    def seconds(self) -> int:
        return self._random.choice((0, 1, 3, 30))

    def answers(self, operations: dict[str, OperationRecord]) -> list[str]:
        """Operation ids of the callbacks that somebody outside answers now."""
        waiting = [one.id for one in operations.values() if one.type == "CALLBACK" and one.status == "STARTED" and one.due_at is None]
        found = [one for one in waiting if one not in self._answered and self._random.random() < 0.4]
        self._answered.update(found)
        return found

    @staticmethod
    def _is_movable(one: OperationRecord, operations: dict[str, OperationRecord]) -> bool:
        if one.type is OperationType.CONTEXT:
            return one.status == "STARTED" and all(inner.is_terminal for inner in operations.values() if inner.parent_id == one.id)
        return (one.type is OperationType.STEP and one.status in ("STARTED", "READY")) or (one.type == "WAIT" and one.status == "STARTED")

    def _move(self, one: OperationRecord) -> list[OperationUpdate]:
        if one.type is OperationType.WAIT:
            return [update("WAIT", "CANCEL", one.id)]
        if one.type is OperationType.CONTEXT:
            return [
                self._random.choice((context("SUCCEED", one.id, payload="1", replay_children=True), context("FAIL", one.id, error=ERROR)))
            ]
        if one.status == "READY":
            return [step("START", one.id)]
        delay = OperationOptions(delay=self._random.choice((1, 5)))
        moves = (
            step("SUCCEED", one.id, payload='"ok"'),
            step("FAIL", one.id, error=ERROR),
            step("RETRY", one.id, error=ERROR, options=delay),
            step("RETRY", one.id, payload="state", options=delay),
        )
        return [self._random.choice(moves)]

    def _start(self, operations: dict[str, OperationRecord], busy: set[str]) -> list[OperationUpdate]:
        self._count += 1
        name = f"op-{self._count}"
        open_contexts = [one.id for one in operations.values() if one.type == "CONTEXT" and not one.is_terminal and one.id not in busy]
        parent = {"parent_id": self._random.choice(open_contexts)} if open_contexts and self._random.random() < 0.5 else {}
        starts = (
            [step("START", name, name="charge", sub_type="Step", **parent)],
            [step("START", name, **parent), step("SUCCEED", name, payload="2")],
            [context("START", name, sub_type=self._random.choice(("Map", "RunInChildContext")), **parent)],
            [wait(name, self._random.choice((1, 20)), **parent)],
            [callback(name)],
            [callback(name, timeout=5, heartbeat=3)],
            [invoke(self._random.choice((FUNCTION, "nobody-has-it")), name)],
        )
        return self._random.choice(starts)


class Inside:
    """The same calls through a handler's sink and the lane of its worker."""

    def __init__(self, claim: Any, clock: VirtualClock) -> None:
        with connections.connect("test") as own:
            loaded = reader.load(own, [claim.execution_id])[claim.execution_id]
        self.lane = Lane(
            claim.execution_id, claim.claim_id, clock, claim.checkpoint_seq, loaded.wake_seq, claim.told_seq, operations=loaded.operations
        )
        self.claim, self._writer = claim, DirectWriter(clock)
        self._sink = LaneSink(self.lane, self._writer, arn="arn", started_at=claim.started_at, settings=engine_settings())

    def call(self, *updates: OperationUpdate) -> None:
        if not updates:
            self._sink.refresh()
        for group in checkpoints._groups(updates):
            self._sink.checkpoint(*group)

    def end(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            locked = store.lock(cursor, self.lane.execution_id)
        answer = HandlerOutcome(InvocationStatus.SUCCEEDED, "3")
        self.lane.close(outcome.settle(locked.record, self.lane, answer, self.claim.invocation_id))
        self._writer.submit(self.lane)


def claimed(clock: VirtualClock) -> Any:
    started = executions.start_execution(FUNCTION, "{}").id
    version = FunctionVersion.objects.get(function=FUNCTION).id
    with connections.connect("test") as own:
        found = claims.claim(own, Claimer(versions=[version], worker=uuid4(), limit=50, claim_seconds=9999, now=clock.now()))
    return next(one for one in found if one.execution_id == started)


def recorded(execution_id: UUID) -> dict[str, Any]:
    """All that is kept of an execution, without what is random or its own."""
    own = Execution.objects.values("status", "result", "error", "event_seq", "wake_seq", "due_at", "claim_id").get(id=execution_id)
    own["claim_id"] = own["claim_id"] is not None
    rows = Operation.objects.filter(execution_id=execution_id).order_by("start_event").values()
    random_members = ("CallbackId", "DurableExecutionArn", "RequestId")
    events = list_events(execution_id)
    for event in events:
        for details in (one for one in event.values() if isinstance(one, dict)):
            for member in random_members:
                details.pop(member, None)
        if event["EventType"].startswith("Execution"):
            event.pop("Id", None)
    return {
        "execution": own,
        "operations": [{**row, "execution_id": None, "callback_id": None, "options": None} for row in rows],
        "events": events,
        "children": list(
            Execution.objects.filter(parent_id=execution_id).order_by("parent_operation_id").values_list("parent_operation_id", "input")
        ),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_a_call_from_outside_is_recorded_as_one_from_inside(seed: int) -> None:
    clock, script = VirtualClock(), Script(seed)
    with virtual_time(clock.now):
        inside = Inside(claimed(clock), clock)
        outside = Caller(claimed(clock), 0)
        for _ in range(CALLS):
            clock.advance(script.seconds())
            for name in script.answers(inside.lane.operations):
                for execution_id in (inside.lane.execution_id, outside.id):
                    callback_id = Operation.objects.get(execution_id=execution_id, id=name).callback_id
                    callbacks.succeed_callback(callback_id, '"yes"')
            updates = script.call(inside.lane.operations)
            inside.call(*updates)
            outside.call(*updates)
            assert recorded(outside.id) == recorded(inside.lane.execution_id)
        inside.end()
        outside.call(update("EXECUTION", "SUCCEED", "result-1", payload="3"))
    assert recorded(outside.id) == recorded(inside.lane.execution_id)
    held = {name: record for name, record in outside.seen.items() if record.is_terminal}
    rows = Operation.objects.filter(execution_id=outside.id, status__in=["SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT"])
    assert {row.id: (str(held[row.id].status), held[row.id].payload) for row in rows} == {row.id: (row.status, row.payload) for row in rows}
