"""Chained invokes: a child is started in the commit of its parent's START, and a child that ended stays due until it was told.

The engine never locks two executions together. The child's end sets `owes_parent` in its own row; any worker then delivers it in a
second transaction that holds only the parent's lock, and clears the mark in a third. A crash between any two delivers again, which
the parent's operation, no longer STARTED, makes harmless.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.records import ErrorObject
from execution_engine.core.transitions import chained_invoke
from execution_engine.journal import store
from execution_engine.journal.present import present
from execution_engine.journal.rows import error_from_text
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor

logger = logging.getLogger(__name__)
TIMEOUT_ERROR = ErrorObject(message="The invoked execution timed out", type="ChainedInvoke.Timeout")

_OUTCOMES = {
    ExecutionStatus.SUCCEEDED: OperationStatus.SUCCEEDED,
    ExecutionStatus.FAILED: OperationStatus.FAILED,
    ExecutionStatus.TIMED_OUT: OperationStatus.TIMED_OUT,
    ExecutionStatus.STOPPED: OperationStatus.STOPPED,
}


@dataclass(frozen=True, slots=True)
class ChildStart:
    """A child to be inserted in the transaction that writes its parent's START. Times in seconds, retention in days.

    `traceparent` is the invoke's own; without one the child has its parent's.
    """

    id: UUID
    function: str
    version: str
    version_id: int
    execution_timeout: int | None
    retention_days: int
    operation_id: str
    input: str | None
    tenant_id: str | None
    started_by: str
    traceparent: str | None = None


def start(cursor: Cursor, parent_id: UUID, child: ChildStart) -> None:
    """Inserts the child, due at once. The parent is locked by the caller's transaction; the child is new, so nobody waits for it."""
    cursor.execute(
        statement("insert_child"),
        {
            "now": present(),
            "id": child.id,
            "version_id": child.version_id,
            "function": child.function,
            "version": child.version,
            "execution_timeout": child.execution_timeout,
            "retention_days": child.retention_days,
            "parent_id": parent_id,
            "parent_operation_id": child.operation_id,
            "tenant_id": child.tenant_id,
            "started_by": child.started_by,
            "traceparent": child.traceparent,
            "input": child.input,
        },
    )


def deliver_due(connection: psycopg.Connection[Any], limit: int = 100) -> int:
    """Tells the parents of ended children, at most `limit` of them; answers how many were told.

    A parent that is locked elsewhere, or cannot be told, waits for the next look, and keeps no other waiting however many of its
    children have ended.
    """
    told, left = 0, set[UUID]()
    while True:
        rows = connection.execute(statement("children_owing"), {"limit": limit, "left": list(left)}).fetchall()
        passed = len(left)
        for child_id, parent_id, operation_id, version in rows:
            if parent_id in left:
                continue
            try:
                told += _deliver(connection, child_id, parent_id, operation_id, version)
            except psycopg.errors.LockNotAvailable:
                left.add(parent_id)
            except Exception:
                if connection.closed:
                    raise
                logger.exception("the end of %s cannot be told to its parent %s; it is tried again", child_id, parent_id)
                left.add(parent_id)
        if len(rows) < limit or len(left) == passed:
            return told


def _deliver(connection: psycopg.Connection[Any], child_id: UUID, parent_id: UUID, operation_id: str, version: str) -> int:
    completed = False
    with connection.transaction(), connection.cursor() as cursor:
        try:
            completed = _complete(cursor, child_id, parent_id, operation_id)
        except ExecutionNotFoundError:
            completed = False
    connection.execute(statement("clear_owing"), {"id": child_id, "version": version})
    return int(completed)


def _complete(cursor: Cursor, child_id: UUID, parent_id: UUID, operation_id: str) -> bool:
    """Under the parent's lock: read the child again, and complete the operation that waits for it."""
    locked = store.lock(cursor, parent_id)
    if locked.record.status.is_terminal:
        return False
    operation = store.read_operations(cursor, parent_id, [operation_id]).get(operation_id)
    cursor.execute(statement("read_child"), {"id": child_id})
    row = cursor.fetchone()
    if operation is None or row is None or operation.options.child_id != str(child_id):
        return False
    status = ExecutionStatus(row[0])
    if not status.is_terminal or row[3] < operation.options.redrives:
        return False
    error = TIMEOUT_ERROR if status is ExecutionStatus.TIMED_OUT else error_from_text(row[2])
    failure = None if status is ExecutionStatus.SUCCEEDED else error or ErrorObject()
    move = chained_invoke.complete(operation, _OUTCOMES[status], locked.now, payload=row[1], error=failure)
    if move is None:
        return False
    after = store.wake(locked.record, locked.now)
    store.write(cursor, locked, after, move.events, {operation_id: replace(move.record, wake_seq=after.wake_seq)})
    return True
