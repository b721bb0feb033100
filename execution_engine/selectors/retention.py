"""What is kept of ended executions, for how long, and what another number of days would keep."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

COUNTED = 100_000
SAMPLED = 200

_KEPT = """
select e.function, count(*) as ended, min(e.ended_at) as oldest_at, min(e.retention_days) as shortest, max(e.retention_days) as longest
  from (select distinct function from durable_function_version
         where %(functions)s::text[] is null or function = any(%(functions)s::text[])) f
 cross join lateral (
       select function, ended_at, retention_days from durable_execution
        where function = f.function and ended_at is not null
        order by started_at limit %(counted)s) e
 group by e.function order by e.function
"""

_BEYOND = """
select count(*), min(ended_at), max(ended_at) from (
  select ended_at from durable_execution
   where function = %(function)s and started_at < now() - make_interval(days => %(days)s)
     and ended_at < now() - make_interval(days => %(days)s)
   limit %(counted)s) found
"""

_BYTES = """
select coalesce(avg(own + operations + events), 0) from (
  select pg_column_size(e.*) as own,
         (select coalesce(sum(pg_column_size(o.*)), 0) from durable_operation o where o.execution_id = e.id) as operations,
         (select coalesce(sum(pg_column_size(v.*)), 0) from durable_event v where v.execution_id = e.id) as events
    from durable_execution e
   where e.function = %(function)s and e.ended_at is not null
   order by e.started_at desc limit %(sampled)s) sampled
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The ended executions of one function; counted up to 100,000, the oldest first. Days are what their authors gave."""

    function: str
    ended: int
    oldest_at: datetime
    shortest_days: int | None
    longest_days: int | None

    @property
    def is_cut(self) -> bool:
        return self.ended >= COUNTED


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a retention of `days` would remove now; `bytes` is estimated from the newest 200 executions."""

    function: str
    days: int
    executions: int
    oldest_at: datetime | None
    newest_at: datetime | None
    bytes: int

    @property
    def is_cut(self) -> bool:
        return self.executions >= COUNTED


def kept(functions: Collection[str] | None = None) -> list[Kept]:
    """Per function (of these, of all for None) with ended executions, by name. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, {"counted": COUNTED, "functions": None if functions is None else sorted(functions)})
        return [Kept(*row) for row in cursor.fetchall()]


def dry_run(function: str, days: int) -> DryRun:
    """Changes nothing. Two queries; for an answer to somebody who asked, not for a page that refreshes itself."""
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND, {"function": function, "days": days, "counted": COUNTED})
        executions, oldest_at, newest_at = cursor.fetchone()
        cursor.execute(_BYTES, {"function": function, "sampled": SAMPLED})
        size = cursor.fetchone()[0]
    return DryRun(function, days, executions, oldest_at, newest_at, int(executions * size))
