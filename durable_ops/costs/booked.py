"""What is booked: rows of days as they are kept, and the dearest executions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from durable_ops.costs.spans import Span
from execution_engine.selectors.costs import COLUMNS, Usage, usage_from

DEAREST = 10

_DAYS = f"""
select day, function, version, status, executions, {", ".join(COLUMNS)} from durable_ops_cost_day
 where day between %(since)s and %(until)s and (%(functions)s::text[] is null or function = any(%(functions)s::text[]))
 order by day, function, version, status
"""  # noqa: S608  only constants


@dataclass(frozen=True, slots=True)
class Day:
    """One booked row: day (UTC), function, version and status at the end."""

    day: date
    function: str
    version: str
    status: str
    executions: int
    usage: Usage


def read_days(since: date, until: date, functions: Collection[str] | None = None) -> list[Day]:
    """Of these functions, of all for None, oldest first. One query."""
    rows = fetch(_DAYS, {"since": since, "until": until, "functions": None if functions is None else sorted(functions)})
    return [Day(*(*row[:5], usage_from(row[5:]))) for row in rows]


@dataclass(frozen=True, slots=True)
class DearExecution:
    """One booking among the dearest. `name` is None when the execution has been purged since."""

    execution_id: UUID
    name: str | None
    function: str
    status: str
    day: date
    usage: Usage


_DEAREST = f"""
select b.execution_id, e.name, b.function, b.status, b.day, {", ".join(f"b.{name}" for name in COLUMNS)}
  from unnest(%(months)s::date[]) as m(month) cross join unnest(%(functions)s::text[]) as f(function) cross join lateral (
    select * from durable_ops_cost_entry c
     where c.month = m.month and c.function = f.function and c.day between %(since)s and %(until)s
     order by c.rank desc limit %(limit)s) b
  left join durable_execution e on e.id = b.execution_id
 order by b.rank desc limit %(limit)s
"""  # noqa: S608  only constants


def dearest_executions(span: Span, functions: Sequence[str], limit: int = DEAREST) -> list[DearExecution]:
    """Those that cost most, by booking. One query. Index: cost_entry_dearest, once per month and function."""
    months = span.months[-4:]
    params = {"months": months, "functions": list(functions), "since": span.since, "until": span.until, "limit": limit}
    return [DearExecution(*(*row[:5], usage_from(row[5:]))) for row in fetch(_DEAREST, params)]


def fetch(query: str, params: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())
