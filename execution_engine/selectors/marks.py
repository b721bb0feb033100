"""What tells whether a page about an execution still shows what is true, from its row alone."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now

from execution_engine.models import Execution

LONGEST = timedelta(minutes=5)
_COLUMNS = ("event_seq", "wake_seq", "status", "status_text", "claimed_by", "due_at", "ended_at")


@dataclass(frozen=True, slots=True)
class Mark:
    """`text` changes with everything that people see of an open execution; `good_for` is how long time alone changes nothing."""

    text: str
    good_for: timedelta


def read_mark(execution_id: UUID) -> Mark | None:
    """One query by primary key; None when there is no such execution or it has ended. Read it before what it shall vouch for."""
    row = Execution.objects.filter(id=execution_id, ended_at=None).values_list(*_COLUMNS, Now()).first()
    if row is None:
        return None
    *shown, claimed_by, due_at, _, now = row
    # A claim's end moves every few seconds and says nothing; a suspended execution's timer is what it waits for.
    timer = None if claimed_by is not None else due_at
    return Mark(f"{zlib.crc32(repr((shown, claimed_by, timer)).encode()):08x}", _quiet_time(timer, now))


def _quiet_time(timer: datetime | None, now: datetime) -> timedelta:
    return LONGEST if timer is None else max(timedelta(), min(LONGEST, timer - now))
