"""Executions that are over leave the journal: one on request, the old ones by a duty in small batches."""

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.errors import ExecutionNeededError
from execution_engine.core.transitions.execution import refuse_open
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

BATCH = 100
BATCHES_PER_TURN = 10
"""A thousand executions a turn keep up with a hundred ends a second, and no transaction is long."""


def delete(cursor: Cursor, locked: Locked) -> None:
    """Raises `ExecutionNotEndedError`, `ExecutionNeededError`."""
    refuse_open(locked.record)
    execution_id = locked.record.id
    cursor.execute(statement("find_needed"), {"id": execution_id})
    if cursor.fetchone()[0]:
        raise ExecutionNeededError("a parent still waits for the end of this execution", execution_id=str(execution_id))
    cursor.execute(statement("delete_executions"), {"ids": [execution_id]})


def purge(connection: psycopg.Connection[Any], now: datetime | None = None) -> int:
    """A duty: removes what is past its retention; answers how many executions were removed."""
    removed = 0
    for _ in range(BATCHES_PER_TURN):
        count = _purge_batch(connection, now)
        removed += count
        if count < BATCH:
            break
    return removed


def _purge_batch(connection: psycopg.Connection[Any], now: datetime | None) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        ids: list[UUID] = [row[0] for row in cursor.execute(statement("find_purgeable"), {"now": now, "limit": BATCH}).fetchall()]
        if ids:
            cursor.execute(statement("delete_executions"), {"ids": ids})
    return len(ids)
