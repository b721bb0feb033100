"""Executions whose version no living worker serves: nobody can invoke them, but their time still runs out."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.transitions import execution as executions
from execution_engine.core.transitions import fire_timer
from execution_engine.journal import store
from execution_engine.journal.rows import operation_from_row
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Locked


def fire_due(connection: psycopg.Connection[Any]) -> None:
    """Fires what is due in executions without a worker: time-outs of executions and callbacks, ends of waits and retries."""
    for (execution_id,) in connection.execute(statement("unserved_due")).fetchall():
        try:
            with connection.transaction(), connection.cursor() as cursor:
                fire(cursor, execution_id)
        except (ExecutionNotFoundError, psycopg.errors.LockNotAvailable):
            continue  # gone, or held by somebody else: the next look sees what there is


def fire(cursor: store.Cursor, execution_id: UUID) -> None:
    """Everything that time has decided about one unclaimed execution; nothing when somebody claimed it meanwhile."""
    locked = store.lock(cursor, execution_id)
    record = locked.record
    if record.claim_id is not None or record.status.is_terminal:
        return
    if executions.is_past_deadline(record, locked.now):
        store.write_transition(cursor, locked, executions.end(record, ExecutionStatus.TIMED_OUT, locked.now))
        return
    _fire_operations(cursor, locked)


def _fire_operations(cursor: store.Cursor, locked: Locked) -> None:
    cursor.execute(statement("due_operations"), {"execution_id": locked.record.id, "now": locked.now})
    found = [fire_timer(operation_from_row(row), locked.now) for row in cursor.fetchall()]
    moves = [move for move in found if move is not None]
    if not moves:
        return
    after = store.wake(locked.record, locked.now)
    changed = {move.record.id: replace(move.record, wake_seq=after.wake_seq) for move in moves}
    store.write(cursor, locked, after, [event for move in moves for event in move.events], changed)
