"""Statements under a row lock, on the connection of the caller's transaction: for services, recovery and atomic steps.

Every function needs an open transaction. Lock order: one execution, then its operations; never two executions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.records import ExecutionRecord, HistoryEvent, OperationRecord
from execution_engine.core.transitions.execution import ExecutionTransition
from execution_engine.journal.present import present
from execution_engine.journal.rows import error_text, event_params, execution_from_row, operation_from_row, operation_params
from execution_engine.journal.statements import statement

_OPERATION_COLUMNS = (
    "id", "type", "sub_type", "name", "parent_id", "status", "attempt", "payload", "error", "replay_children", "options", "callback_id",
    "started_at", "ended_at", "due_at", "wake_seq", "start_event",
)  # fmt: skip
_EVENT_COLUMNS = ("event_id", "type", "operation_id", "at", "details", "payload", "error")
EXECUTION_WIDTH = 19


class Cursor(Protocol):
    """What psycopg's cursor and Django's wrapper around it have in common."""

    def execute(self, query: Any, params: Any = None) -> Any: ...
    def executemany(self, query: Any, param_list: Any) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Locked:
    """An execution under this transaction's lock, the time after the lock was taken, and the request id of its invocation."""

    record: ExecutionRecord
    now: datetime
    invocation_id: UUID | None
    last_event_at: datetime


def lock(cursor: Cursor, execution_id: UUID, now: datetime | None = None) -> Locked:
    """Locks the row `for no key update`, then reads it in a second statement, which sees what was committed before the lock.

    Raises `ExecutionNotFoundError`, and `psycopg.errors.LockNotAvailable` after the connection's lock_timeout.
    """
    cursor.execute(statement("lock_execution"), {"id": execution_id})
    if cursor.fetchone() is None:
        raise ExecutionNotFoundError(f"there is no execution {execution_id}", execution_id=str(execution_id))
    ask_locked(cursor, execution_id, now)
    return locked_from_row(cursor.fetchone())


def ask_locked(cursor: Cursor, execution_id: UUID, now: datetime | None = None) -> None:
    """Sends the query for a row that the statement before it locked. `fetch_locked` fetches the answer; more can be sent in between."""
    cursor.execute(statement("read_execution"), {"id": execution_id, "now": now or present()})


def fetch_locked(cursor: Cursor) -> Locked | None:
    """The answer to `ask_locked`; None when there is no such execution."""
    row = cursor.fetchone()
    return None if row is None else locked_from_row(row)


def lock_callback(cursor: Cursor, callback_id: str, now: datetime | None = None) -> tuple[Locked, OperationRecord] | None:
    """Locks the execution that waits for a callback id, then reads it and the operation; None when nothing has that id.

    Fetches nothing in between, so that in a pipeline both statements travel together: the second begins when the first has the lock.
    """
    cursor.execute(statement("lock_callback"), {"callback_id": callback_id})
    cursor.execute(statement("read_callback"), {"callback_id": callback_id, "now": now or present()})
    row = cursor.fetchone()
    return None if row is None else (locked_from_row(row), operation_from_row(row[EXECUTION_WIDTH:]))


def locked_from_row(row: Sequence[Any]) -> Locked:
    """From the columns of `read_execution`, with which every such statement begins."""
    return Locked(execution_from_row(row), row[18], row[10], row[17])


def read_operations(cursor: Cursor, execution_id: UUID, ids: Sequence[str]) -> dict[str, OperationRecord]:
    """The operations with these ids, by id; ids without a record are left out. Read it under the lock, in a statement of its own."""
    cursor.execute(statement("read_operations"), {"execution_id": execution_id, "ids": list(ids)})
    return {row[0]: operation_from_row(row) for row in cursor.fetchall()}


def nearest_timer(cursor: Cursor, execution_id: UUID) -> datetime | None:
    """When the earliest timer of an open operation is due; None when there is none."""
    cursor.execute(statement("nearest_timer"), {"execution_id": execution_id})
    found: datetime | None = cursor.fetchone()[0]
    return found


def wake(record: ExecutionRecord, now: datetime) -> ExecutionRecord:
    """For a change from outside or by time: an invocation is owed, due at once unless one is running.

    An execution that is due already keeps its place: frequent news would otherwise move it to the end of the queue again and again.
    """
    is_idle = record.claim_id is None and record.status is ExecutionStatus.RUNNING
    due_at = min(record.due_at or now, now) if is_idle else record.due_at
    return replace(record, wake_seq=record.wake_seq + 1, due_at=due_at)


def write(
    cursor: Cursor,
    locked: Locked,
    after: ExecutionRecord,
    events: Iterable[HistoryEvent],
    operations: Mapping[str, OperationRecord] | None = None,
) -> None:
    """Writes the execution, its changed operations and the events, which are numbered on from the locked row, in one statement."""
    at = max(locked.now, locked.last_event_at)
    lines = [event_params(after.id, number, event, at) for number, event in enumerate(events, start=after.event_seq + 1)]
    rows = [operation_params(after.id, record) for record in (operations or {}).values()]
    params = _execution_params(replace(after, event_seq=after.event_seq + len(lines)), at if lines else locked.last_event_at)
    params |= {f"op_{column}": [row[column] for row in rows] for column in _OPERATION_COLUMNS}
    params |= {f"ev_{column}": [line[column] for line in lines] for column in _EVENT_COLUMNS}
    cursor.execute(statement("write_change"), params)


def write_transition(cursor: Cursor, locked: Locked, transition: ExecutionTransition) -> None:
    """As `write`, for a move of the execution alone."""
    write(cursor, locked, transition.record, transition.events)


def _execution_params(record: ExecutionRecord, last_event_at: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "status": str(record.status),
        "due_at": record.due_at,
        "ended_at": record.ended_at,
        "claim_id": record.claim_id,
        "invocation_started_at": record.invocation_started_at,
        "failed_invocations": record.failed_invocations,
        "event_seq": record.event_seq,
        "wake_seq": record.wake_seq,
        "told_seq": record.told_seq,
        "last_event_at": last_event_at,
        "result": record.result,
        "error": error_text(record.error),
    }
