"""Signals: taken by the oldest open waiter of their name, or buffered until one starts. Taking and completing are one commit."""

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import OperationRecord
from execution_engine.core.transitions import callback
from execution_engine.journal import store
from execution_engine.journal.present import present
from execution_engine.journal.rows import operation_from_row
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

if TYPE_CHECKING:
    from execution_engine.journal.flush import Batch


def waiting_for(cursor: Cursor, execution_id: UUID, name: str) -> OperationRecord | None:
    """The oldest open waiter for `name`; the execution must be locked."""
    cursor.execute(statement("waiting_signal"), {"execution_id": execution_id, "name": name, "now": present()})
    row = cursor.fetchone()
    return None if row is None else operation_from_row(row)


def buffer(cursor: Cursor, locked: Locked, name: str, payload: str | None, sent_by: str) -> None:
    """Stores a signal until somebody waits for its name. Needs the lock."""
    values = {"execution_id": locked.record.id, "name": name, "payload": payload, "now": locked.now, "sent_by": sent_by}
    cursor.execute(statement("buffer_signal"), values)


def complete_waiter(cursor: Cursor, locked: Locked, waiter: OperationRecord, payload: str | None) -> None:
    """Completes a waiter with a signal and wakes its execution. Needs the lock."""
    move = callback.complete(waiter, locked.now, payload=payload)
    after = store.wake(locked.record, locked.now)
    record = replace(move.record, wake_seq=after.wake_seq)
    store.write(cursor, locked, after, move.events, {record.id: record})


def deliver_signals(cursor: Cursor, batch: "Batch") -> int:
    """Completes waiters that just started with signals that came earlier, oldest first. To be called in the transaction of their START.

    Returns how many were completed; each raised `wake_seq` by one.
    """
    lane, delivered = batch.lane, 0
    for entry in batch.entries:
        for move in entry.moves:
            record = move.record
            if record.options.signal is None or record.status is not OperationStatus.STARTED:
                continue
            name = record.options.signal
            cursor.execute(statement("next_signal"), {"execution_id": lane.execution_id, "name": name})
            found = cursor.fetchone()
            if found is None:
                continue
            cursor.execute(statement("consume_signal"), {"id": found[0], "operation_id": record.id})
            locked = store.lock(cursor, lane.execution_id)
            waiter = store.read_operations(cursor, lane.execution_id, [record.id])[record.id]
            complete_waiter(cursor, locked, waiter, found[1])
            delivered += 1
    return delivered
