"""What tells whether a page about an execution still shows what is true, from its row alone."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

LONGEST = timedelta(minutes=5)

# A claim's end moves every few seconds and says nothing; a suspended execution's timer is what it waits for.
_MARK = """
select format('%%s|%%s|%%s|%%s|%%s|%%s', event_seq, wake_seq, status, claimed_by,
              case when claimed_by is null then extract(epoch from due_at) end, status_text),
       case when claimed_by is null then extract(epoch from due_at - statement_timestamp())::float8 end
  from durable_execution
 where id = %s and ended_at is null
"""

Ask = Callable[[str, Sequence[Any]], Sequence[Any] | None]
"""Runs one statement and answers its first row."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`text` changes with everything that people see of an open execution; `good_for` is how long time alone changes nothing."""

    text: str
    good_for: timedelta


def read_mark(execution_id: UUID, ask: Ask | None = None) -> Mark | None:
    """One query by primary key, through Django or through `ask`; None when there is no such execution or it has ended.

    Read it before what it shall vouch for.
    """
    row = (ask or _ask_django)(_MARK, [execution_id])
    if row is None:
        return None
    shown, seconds = row
    quiet = LONGEST if seconds is None else max(timedelta(), min(LONGEST, timedelta(seconds=seconds)))
    return Mark(f"{zlib.crc32(shown.encode()):08x}", quiet)


def _ask_django(statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: Sequence[Any] | None = cursor.fetchone()
    return row
