"""Callers, senders of signals and people who stop things: lock, read, write with a condition, commit.

Each command returns what its caller is told: an `Answer`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.core.errors import CallbackCompletedError
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord, Transition
from execution_engine.core.transitions import callback, pausing
from execution_engine.core.transitions import execution as moves
from tests.simulation.database import Transaction, execution_key
from tests.simulation.entries import write_ending, write_moves
from tests.simulation.protocol import Protocol, woken
from tests.simulation.scheduler import Steps
from tests.simulation.variants import Variant


@dataclass(frozen=True)
class Answer:
    """`won`: the caller was told yes. `stored`: the outcome that a refusal named."""

    won: bool
    stored: str = ""


class Outsiders:
    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.variant = protocol.variant
        self._signals_sent = 0

    def complete(self, number: int, asked: OperationRecord, *, payload: str | None = None, error: ErrorObject | None = None) -> Steps:
        """Answers a callback by its callback id, as `asked` has it."""
        operation_id = asked.id
        if self.variant is Variant.UNCONDITIONAL_CALLBACK:
            return (yield from self._complete_unconditionally(number, operation_id, payload))
        with self.protocol.begin() as transaction:
            row, snapshot = yield from self._lock(transaction, number)
            if row.status.is_terminal:
                return Answer(False, row.status)
            yield
            operation = transaction.read(("operation", number, operation_id), snapshot)
            if operation is None or operation.callback_id != asked.callback_id:
                return Answer(False, "gone")
            yield
            try:
                transition = callback.complete(operation, self.protocol.now, payload=payload, error=error)
            except CallbackCompletedError as refusal:
                return Answer(False, refusal.facts["callback_status"])
            yield from self._write(transaction, number, row, (transition,))
        yield
        return Answer(True)

    def heartbeat(self, number: int, asked: OperationRecord) -> Steps:
        with self.protocol.begin() as transaction:
            row, snapshot = yield from self._lock(transaction, number)
            if row.status.is_terminal:
                return Answer(False, row.status)
            yield
            operation = transaction.read(("operation", number, asked.id), snapshot)
            if operation is None or operation.callback_id != asked.callback_id:
                return Answer(False, "gone")
            try:
                transition = callback.heartbeat(operation, self.protocol.now)
            except CallbackCompletedError as refusal:
                return Answer(False, refusal.facts["callback_status"])
            transaction.write(("operation", number, asked.id), transition.record)
            yield
            transaction.commit()
        return Answer(True)

    def signal(self, number: int, name: str, payload: str) -> Steps:
        """Completes the oldest waiter of that name, or is buffered."""
        with self.protocol.begin() as transaction:
            row, snapshot = yield from self._lock(transaction, number)
            if row.status.is_terminal:
                return Answer(False, row.status)
            yield
            waiter = self._waiter(transaction, number, name, snapshot)
            if waiter is not None:
                transition = callback.complete(waiter, self.protocol.now, payload=payload)
                yield from self._write(transaction, number, row, (transition,))
            else:
                self._signals_sent += 1
                transaction.write(("signal", number, f"{name}/{self._signals_sent}"), payload)
                yield
                transaction.commit()
        yield
        return Answer(True)

    def stop(self, number: int) -> Steps:
        with self.protocol.begin() as transaction:
            row, _ = yield from self._lock(transaction, number)
            if self.variant is Variant.UNCHECKED_STOP:
                row = replace(row, status=ExecutionStatus.RUNNING)
            if row.status.is_terminal:
                return Answer(False, row.status)
            stopped = moves.end(row, ExecutionStatus.STOPPED, self.protocol.now)
            if self.variant is Variant.CLAIM_SURVIVES_REDRIVE:
                stopped = replace(stopped, record=replace(stopped.record, claim_id=row.claim_id))
            write_ending(transaction, number, stopped)
            yield
            transaction.commit()
        yield
        return Answer(True, ExecutionStatus.STOPPED)

    def pause(self, number: int) -> Steps:
        with self.protocol.begin() as transaction:
            row, snapshot = yield from self._lock(transaction, number)
            if row.status is not ExecutionStatus.RUNNING:
                return Answer(False, row.status)
            yield
            write_ending(transaction, number, pausing.request(row, self._nearest(transaction, number, snapshot), {}))
            yield
            transaction.commit()
        return Answer(True)

    def resume(self, number: int) -> Steps:
        with self.protocol.begin() as transaction:
            row, snapshot = yield from self._lock(transaction, number)
            if row.status not in (ExecutionStatus.PAUSING, ExecutionStatus.PAUSED):
                return Answer(False, row.status)
            yield
            nearest = self._nearest(transaction, number, snapshot)
            write_ending(transaction, number, pausing.resume(row, nearest, self.protocol.now, {}))
            yield
            transaction.commit()
        return Answer(True)

    def _nearest(self, transaction: Transaction, number: int, snapshot: int) -> datetime | None:
        operations = (row for _, row in transaction.rows("operation", number, snapshot))
        return min((o.due_at for o in operations if o.due_at is not None and not o.is_terminal), default=None)

    def _lock(self, transaction: Transaction, number: int) -> Steps:
        """Locks the execution, times it out when it is past its deadline; returns its row and the next statement's snapshot."""
        first = transaction.snapshot()
        yield
        row = yield from transaction.lock(execution_key(number), _anything, snapshot=first)
        yield
        if moves.is_past_deadline(row, self.protocol.now):
            row = write_ending(transaction, number, moves.end(row, ExecutionStatus.TIMED_OUT, self.protocol.now))
            yield
            transaction.commit()
        return row, first if self.variant is Variant.LOCK_AND_READ else transaction.snapshot()

    def _waiter(self, transaction: Transaction, number: int, name: str, snapshot: int) -> OperationRecord | None:
        for _, operation in transaction.rows("operation", number, snapshot):
            is_late = operation.due_at is not None and operation.due_at <= self.protocol.now
            if operation.options.signal == name and operation.status is OperationStatus.STARTED and not is_late:
                return operation
        return None

    def _write(self, transaction: Transaction, number: int, row: ExecutionRecord, transitions: tuple[Transition, ...]) -> Steps:
        row = write_moves(transaction, number, row, transitions, wakes=True)
        transaction.write(execution_key(number), woken(self.protocol, row))
        yield
        transaction.commit()

    def _complete_unconditionally(self, number: int, operation_id: str, payload: str | None) -> Steps:
        """Broken: looks first, locks later, and believes what it saw."""
        looking = self.protocol.begin()
        operation = looking.read(("operation", number, operation_id), looking.snapshot())
        if operation is None or operation.is_terminal:
            return Answer(False, "gone" if operation is None else operation.status)
        yield
        with self.protocol.begin() as transaction:
            row, _ = yield from self._lock(transaction, number)
            if row.status.is_terminal:
                return Answer(False, row.status)
            seen = replace(operation, due_at=None)
            yield from self._write(transaction, number, row, (callback.complete(seen, self.protocol.now, payload=payload),))
        return Answer(True)


def _anything(_: ExecutionRecord) -> bool:
    return True
