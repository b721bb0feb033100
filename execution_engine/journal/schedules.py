"""Rows of schedules, on the connection of the caller's transaction.

Lock order: a schedule before the executions that it starts, which are new, so that nobody can wait for them.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.core.calendar import Calendar
from execution_engine.core.errors import ScheduleNotFoundError
from execution_engine.core.schedules import Overlap, ScheduleValues, execution_name
from execution_engine.journal.present import present
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule under the transaction's lock. `now` is the database's time when the lock was taken."""

    id: int
    values: ScheduleValues
    anchor_at: datetime
    due_at: datetime | None
    last_fired_at: datetime | None
    last_execution_id: UUID | None
    revision: int
    now: datetime

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.values.rule, self.values.timezone, self.anchor_at)

    def execution_name(self, moment: datetime) -> str:
        return execution_name(self.id, moment)


def insert(cursor: Cursor, values: ScheduleValues, anchor_at: datetime, due_at: datetime | None, created_by: str) -> int | None:
    """The new id, None where the name is taken."""
    cursor.execute(statement("insert_schedule"), _params(values, anchor_at, due_at) | {"created_by": created_by})
    row = cursor.fetchone()
    return row[0] if row else None


def write(cursor: Cursor, schedule_id: int, values: ScheduleValues, anchor_at: datetime, due_at: datetime | None) -> int:
    """Under the row's lock; answers the new revision. Raises the database's `UniqueViolation` for a taken name."""
    cursor.execute(statement("write_schedule"), _params(values, anchor_at, due_at) | {"id": schedule_id})
    revision: int = cursor.fetchone()[0]
    return revision


def lock(cursor: Cursor, schedule_id: int) -> StoredSchedule:
    """Raises `ScheduleNotFoundError`."""
    cursor.execute(statement("lock_schedule"), {"id": schedule_id})
    row = cursor.fetchone()
    if row is None:
        raise ScheduleNotFoundError(f"there is no schedule {schedule_id}", schedule=schedule_id)
    return _stored(row)


def claim(cursor: Cursor) -> StoredSchedule | None:
    """A due schedule that nobody else has locked, now locked; None when there is none."""
    cursor.execute(statement("claim_schedule"), {"now": present()})
    row = cursor.fetchone()
    return _stored(row) if row else None


def write_firing(
    cursor: Cursor,
    schedule_id: int,
    due_at: datetime | None,
    *,
    fired_at: datetime | None = None,
    execution_id: UUID | None = None,
    error: str = "",
    skipped: int = 0,
) -> None:
    """Records how a firing went and when the next one is due (None: never). Needs the lock of `claim`."""
    cursor.execute(
        statement("write_firing"),
        {
            "id": schedule_id,
            "due_at": due_at,
            "last_fired_at": fired_at,
            "last_execution_id": execution_id,
            "last_error": error,
            "skipped": skipped,
        },
    )


def delete(cursor: Cursor, schedule_id: int) -> None:
    cursor.execute(statement("delete_schedule"), {"id": schedule_id})


def is_open(cursor: Cursor, execution_id: UUID | None) -> bool:
    """Whether the execution of the last firing is still open; False when there is none, or when it was purged."""
    if execution_id is None:
        return False
    cursor.execute(statement("is_open"), {"id": execution_id})
    row = cursor.fetchone()
    return bool(row and row[0])


def _params(values: ScheduleValues, anchor_at: datetime, due_at: datetime | None) -> dict[str, Any]:
    params = {name: getattr(values, name) for name in ScheduleValues.__slots__}
    params |= {"attributes": json.dumps(dict(values.attributes)), "overlap": values.overlap.value}
    return params | {"anchor_at": anchor_at, "due_at": due_at}


def _stored(row: Any) -> StoredSchedule:
    """From the columns of `lock_schedule`; Django's connection reads jsonb as text."""
    attributes = json.loads(row[7]) if isinstance(row[7], str) else row[7]
    values = ScheduleValues(
        name=row[1],
        function=row[2],
        version=row[3],
        rule=row[4],
        timezone=row[5],
        input=row[6],
        attributes=attributes,
        concurrency_key=row[8],
        priority=row[9],
        overlap=Overlap(row[10]),
        catch_up=row[11],
        is_paused=row[12],
    )
    return StoredSchedule(row[0], values, row[13], row[14], row[15], row[16], row[17], present() or row[18])
