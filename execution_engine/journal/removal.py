"""Executions that are over leave the journal: one on request, the old ones by a duty in small batches."""

import time
from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.errors import ExecutionNeededError
from execution_engine.core.transitions.execution import refuse_open
from execution_engine.journal.connections import TURN_SECONDS
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

BATCH = 100
BATCH_EVENTS = 20_000
"""A transaction removes so many executions, or fewer with so many events in all, and at least one: none is long."""


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
    removed, ends = 0, time.monotonic() + TURN_SECONDS
    while count := _purge_batch(connection, now):
        removed += count
        if time.monotonic() > ends:
            break
    return removed


def _purge_batch(connection: psycopg.Connection[Any], now: datetime | None) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        found = cursor.execute(statement("find_purgeable"), {"now": now, "limit": BATCH}).fetchall()
        totals = accumulate(events for _, events in found)
        ids: list[UUID] = [one for (one, events), total in zip(found, totals, strict=True) if total <= max(events, BATCH_EVENTS)]
        if ids:
            cursor.execute(statement("delete_executions"), {"ids": ids})
    return len(ids)
