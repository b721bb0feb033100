"""Pauses under the execution's lock, and the timers of executions that are paused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.transitions import execution as executions
from execution_engine.core.transitions import pausing
from execution_engine.journal import flush, store, unserved
from execution_engine.journal.present import present
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

if TYPE_CHECKING:
    from execution_engine.journal.flush import Accepted, Batch


def release(cursor: Any, batch: "Batch") -> "Accepted | None":
    """Gives a claim back while a pause is asked for, and settles the pause in the same transaction.

    The group commit's statement writes suspensions of RUNNING executions only. Under the lock taken here, nobody sees the row as RUNNING.
    """
    execution_id = batch.lane.execution_id
    cursor.execute(statement("set_status"), {"id": execution_id, "status": str(ExecutionStatus.RUNNING)})
    accepted, _ = flush.send(cursor, [batch])
    answer = accepted.get(0)
    if answer is None:
        return None
    settle(cursor, store.lock(cursor, execution_id))
    return replace(answer, status=str(ExecutionStatus.PAUSED), due_at=None)


def settle(cursor: Cursor, locked: Locked) -> None:
    """Makes a requested pause final. Needs the lock."""
    record = locked.record
    details = read_pause(cursor, record.id)
    store.write_transition(cursor, locked, pausing.settle(record, store.nearest_timer(cursor, record.id), details))


def read_pause(cursor: Cursor, execution_id: UUID) -> dict[str, Any]:
    """The details of ExecutionPaused, as given with the request; empty when there is no pause."""
    cursor.execute(statement("read_pause"), {"id": execution_id})
    text = cursor.fetchone()[0]
    return dict(json.loads(text)) if text else {}


def write_pause(cursor: Cursor, locked: Locked, details: Mapping[str, Any] | None, deadline_at: Any) -> None:
    """Stores the details of a pause (None: no pause) and the deadline that goes with them. Needs the lock."""
    text = None if details is None else json.dumps(details)
    cursor.execute(statement("write_pause"), {"id": locked.record.id, "pause": text, "deadline_at": deadline_at})


def look(connection: psycopg.Connection[Any]) -> None:
    """A duty: settles pauses whose invocation died, and fires due timers of paused executions."""
    for (execution_id,) in connection.execute(statement("paused_due"), {"now": present()}).fetchall():
        try:
            with connection.transaction(), connection.cursor() as cursor:
                _look_at(cursor, execution_id)
        except (ExecutionNotFoundError, psycopg.errors.LockNotAvailable):
            continue


def _look_at(cursor: Cursor, execution_id: UUID) -> None:
    locked = store.lock(cursor, execution_id)
    if locked.record.claim_id is not None or locked.record.status.is_terminal:
        return
    if executions.is_past_deadline(locked.record, locked.now):
        unserved.fire(cursor, execution_id)
        return
    if locked.record.status is ExecutionStatus.PAUSING:
        settle(cursor, locked)
    unserved.fire(cursor, execution_id)
    locked = store.lock(cursor, execution_id)
    if locked.record.status is ExecutionStatus.PAUSED:
        nearest = pausing.settle(locked.record, store.nearest_timer(cursor, execution_id), {}).record
        store.write(cursor, locked, nearest, ())
