"""Whether a page about an open execution is still true: a mark that differs when the page would, made of the execution's row alone."""

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

LONGEST = timedelta(minutes=5)
"""The most that `good_for` says, also when no timer is set."""

# Of a claimed execution `due_at` is the claim's end, which moves every few seconds and is not shown; of any other it is the nearest timer.
_MARKS = """
select id,
       format('%%s|%%s|%%s|%%s|%%s|%%s', event_seq, wake_seq, status, claimed_by,
              case when claimed_by is null then extract(epoch from due_at) end, status_text),
       case when claimed_by is null then extract(epoch from due_at - statement_timestamp())::float8 end
  from durable_execution
 where id = any(%s) and ended_at is null
"""

Ask = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]
"""Runs one statement with its parameters and returns the rows."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`text` (8 hex digits) changes with everything that people see of an open execution. For `good_for`, time alone changes nothing."""

    text: str
    good_for: timedelta


def read_marks(execution_ids: Collection[UUID], ask: Ask | None = None) -> dict[UUID, Mark]:
    """By id, without executions that do not exist or have ended. One query by primary keys, through Django or through `ask`.

    To be read before the content of the page: a change in between then makes the mark old, not the page.
    """
    rows = (ask or _ask_django)(_MARKS, [list(execution_ids)])
    return {row[0]: _mark(*row[1:]) for row in rows}


def read_mark(execution_id: UUID) -> Mark | None:
    """As `read_marks`, for one execution."""
    return read_marks([execution_id]).get(execution_id)


def _mark(shown: str, seconds: float | None) -> Mark:
    quiet = LONGEST if seconds is None else max(timedelta(), min(LONGEST, timedelta(seconds=seconds)))
    return Mark(f"{zlib.crc32(shown.encode()):08x}", quiet)


def _ask_django(statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    return rows
