"""One execution in memory: the row, its operations, its history and its buffered signals.

Shapes and numbers are those of the tables; every move is one of `core.transitions`.
"""

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from threading import RLock
from typing import Any
from uuid import UUID

from execution_engine.core import history
from execution_engine.core.enums import TERMINAL_EVENT_TYPES, EventType, OperationStatus
from execution_engine.core.records import ErrorObject, ExecutionRecord, HistoryEvent, OperationRecord, Transition
from execution_engine.core.transitions import callback, fire_timer
from execution_engine.core.transitions.execution import ExecutionTransition
from execution_engine.core.transitions.redrive import Plan
from execution_engine.testing.clock import VirtualClock

_START_EVENTS = frozenset(
    {
        EventType.STEP_STARTED,
        EventType.WAIT_STARTED,
        EventType.CALLBACK_STARTED,
        EventType.CONTEXT_STARTED,
        EventType.CHAINED_INVOKE_STARTED,
    }
)


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """`kept`: as it read before a redrive changed what its operation or execution holds."""

    event_id: int
    at: datetime
    event: HistoryEvent
    kept: history.StoredEvent | None = None


class StoredExecution:
    """What the database would hold for one execution. `lock` stands for the lock of the execution's row."""

    def __init__(
        self, record: ExecutionRecord, clock: VirtualClock, *, arn: str, timeout: int | None, started: Mapping[str, Any] | None = None
    ) -> None:
        self.lock = RLock()
        self.timeout = timeout
        self.redrive_count = 0
        self.seed: UUID | None = None
        """A fork's origin, of which `uuid()` and `random()` derive."""
        self.record = record
        self.arn = arn
        self.request_id: UUID | None = None
        self.operations: dict[str, OperationRecord] = {}
        self.signals: dict[str, deque[str | None]] = {}
        self.pause: dict[str, Any] = {}
        self.status_text = ""
        self.attributes: dict[str, Any] = {}
        self._clock = clock
        self._history: list[NumberedEvent] = []
        details = {} if timeout is None else {"ExecutionTimeout": timeout}
        self.append((HistoryEvent(EventType.EXECUTION_STARTED, None, {**details, **(started or {})}),))

    def write(self, transitions: Iterable[Transition], *, by_claim: bool) -> None:
        """One commit of operation moves. Moves from outside or by time raise `wake_seq`, the claim's own do not."""
        for transition in transitions:
            after = transition.record
            if not by_claim:
                self.record = replace(self.record, wake_seq=self.record.wake_seq + 1)
                after = replace(after, wake_seq=self.record.wake_seq)
            known = self.operations.get(after.id)
            after = replace(after, start_event=self.record.event_seq + 1 if known is None else known.start_event)
            self.operations[after.id] = after
            self.append(transition.events)

    def move(self, transition: ExecutionTransition) -> None:
        """One commit of the execution's own move: suspended, ended, failed."""
        self.record = transition.record
        self.append(transition.events)

    def touch(self, record: OperationRecord) -> None:
        """A change that nobody needs to be told of: a heartbeat moved the timer."""
        self.operations[record.id] = record

    def fire_due_timers(self, now: datetime) -> None:
        """Every timer that is due, in the order in which they were due."""
        pending = [operation for operation in self.operations.values() if operation.due_at is not None and not operation.is_terminal]
        for operation in sorted(pending, key=lambda pending: (pending.due_at, pending.start_event)):
            transition = fire_timer(operation, now)
            if transition is not None:
                self.write((transition,), by_claim=False)

    def deliver_signals(self, now: datetime) -> None:
        """Buffered signals meet their waiters, both oldest first."""
        for operation in list(self.operations.values()):
            buffered = self.signals.get(operation.options.signal or "")
            is_late = operation.due_at is not None and operation.due_at <= now
            if buffered and operation.status is OperationStatus.STARTED and not is_late:
                self.write((callback.complete(operation, now, payload=buffered.popleft()),), by_claim=False)

    def nearest_timer(self) -> datetime | None:
        moments = (operation.due_at for operation in self.operations.values() if not operation.is_terminal)
        return min((moment for moment in moments if moment is not None), default=None)

    def next_due(self) -> datetime | None:
        """The nearest moment at which time moves the suspended execution."""
        moments = (self.nearest_timer(), self.record.deadline_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def events(self) -> list[dict[str, Any]]:
        """The history as AWS's Event objects."""
        return [history.to_wire(line.kept or self._stored(line), str(self.record.id)) for line in self._history]

    def keep(self, operations: Collection[str], *, with_input: bool) -> None:
        """Before a redrive: what was written stays as it reads now, whatever becomes of these operations and of the end."""
        for place, line in enumerate(self._history):
            kind = line.event.type
            is_touched = line.event.operation_id in operations or kind in TERMINAL_EVENT_TYPES
            if line.kept is None and (is_touched or (with_input and kind is EventType.EXECUTION_STARTED)):
                self._history[place] = replace(line, kept=self._stored(line))

    def events_of(self, plan: Plan) -> list[NumberedEvent]:
        """What a fork's history begins with: all that it keeps since its start, of a context that goes on only the start."""
        starts = {record.id: record.start_event for record in self.operations.values()}
        kept, reopened = set(plan.kept), set(plan.reopened)
        found = ((line, line.event.operation_id or "") for line in self._history)
        return [
            line
            for line, one in found
            if (one in kept and line.event_id >= starts[one]) or (one in reopened and line.event_id == starts[one])
        ]

    def adopt(self, lines: Iterable[NumberedEvent], at: datetime) -> dict[int, int]:
        """Writes another history's events behind the own ones; answers their new numbers."""
        numbers = {}
        for number, line in enumerate(lines, start=self.record.event_seq + 1):
            kept = None if line.kept is None else replace(line.kept, event_id=number, at=at)
            self._history.append(NumberedEvent(number, at, line.event, kept))
            numbers[line.event_id] = number
        self.record = replace(self.record, event_seq=len(self._history))
        return numbers

    def append(self, events: Iterable[HistoryEvent]) -> None:
        for event in events:
            number = self.record.event_seq + 1
            self.record = replace(self.record, event_seq=number)
            self._history.append(NumberedEvent(number, self._clock.now(), event))

    def _stored(self, line: NumberedEvent) -> history.StoredEvent:
        """Joins what is stored once: results and errors live with their operation or execution."""
        event = line.event
        operation = None if event.operation_id is None else self.operations[event.operation_id]
        payload, error = self._kept_elsewhere(event, operation)
        return history.StoredEvent(
            event_id=line.event_id,
            type=event.type,
            at=line.at,
            operation_id=event.operation_id,
            sub_type=None if operation is None else operation.sub_type,
            name=None if operation is None else operation.name,
            parent_id=None if operation is None else operation.parent_id,
            details=event.details,
            payload=payload,
            error=None if error is None else json.dumps(error.to_wire()),
        )

    def _kept_elsewhere(self, event: HistoryEvent, operation: OperationRecord | None) -> tuple[str | None, ErrorObject | None]:
        if event.payload is not None or event.error is not None:
            return event.payload, event.error
        if event.type is EventType.EXECUTION_STARTED:
            return self.record.input, None
        if event.type in TERMINAL_EVENT_TYPES:
            return self.record.result, self.record.error
        if operation is None or event.type in _START_EVENTS:
            return None, None
        return operation.payload, operation.error
