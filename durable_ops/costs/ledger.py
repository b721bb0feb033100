"""The ledger: books each execution when it ends, once per end, and adds it to its day in the same transaction.

An entry is the usage since the execution's last entry, so a redrive books only what it added, and a day is at any moment exactly
the sum of its entries. The key (execution, end) makes booking again harmless.

Ends are found through an index in order of `ended_at`. One that was committed late lies behind the pass that is close to now; a
second pass, hours behind, books those, long before the shortest retention is over.
"""

import time
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings

from durable_ops.costs.prices import LIST_PRICES, Book, Item
from execution_engine.selectors.costs import COLUMNS, USAGE_SQL, Cursor
from execution_engine.selectors.ended_executions import ENDED_AFTER_SQL

PASSES = {"recent": 5, "late": 6 * 3600}
"""How many seconds each pass stays behind now."""

LOOKED_AT = 1_000
BOOKED_AT_ONCE = 250
TURN_SECONDS = 0.25
"""A turn ends after this: mails and reminders wait for the same thread."""

KEPT_ENTRY_DAYS = 100

_MONTH_SECONDS = 2_592_000
_LIST = ", ".join(COLUMNS)

_READ_CURSOR = "select ended_at, execution_id from durable_ops_cost_cursor where name = %(name)s for no key update skip locked"
_MAKE_CURSOR = """
insert into durable_ops_cost_cursor (name, ended_at, execution_id)
values (%(name)s, '2020-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000') on conflict (name) do nothing
"""
_MOVE_CURSOR = "update durable_ops_cost_cursor set ended_at = %(at)s, execution_id = %(id)s where name = %(name)s"
_REWIND = "update durable_ops_cost_cursor set ended_at = least(ended_at, %(at)s), execution_id = '00000000-0000-0000-0000-000000000000'"

_ENDS = f"""
select found.ended_at, found.id, exists (
         select 1 from durable_ops_cost_entry b where b.execution_id = found.id and b.ended_at = found.ended_at)
  from ({ENDED_AFTER_SQL}) found
 order by found.ended_at, found.id
"""  # noqa: S608  only constants

_BOOK = f"""
with used as materialized ({USAGE_SQL}), before as materialized (
  select execution_id, {", ".join(f"sum({name}) as {name}" for name in COLUMNS)}
    from durable_ops_cost_entry where execution_id = any(%(ids)s::uuid[]) group by execution_id
), added as (
  select u.id, u.function, u.version, u.status, u.ended_at,
         {", ".join(f"u.{name} - coalesce(b.{name}, 0) as {name}" for name in COLUMNS)}, b.execution_id is null as is_first
    from used u left join before b on b.execution_id = u.id
   where u.ended_at is not null
), entries as (
  insert into durable_ops_cost_entry (execution_id, ended_at, day, month, function, version, status, rank, {_LIST})
  select id, ended_at, (ended_at at time zone 'UTC')::date, date_trunc('month', ended_at at time zone 'UTC')::date, function, version,
         status, requests * %(request)s::numeric + operations * %(operation)s::numeric + mb_ms * %(compute)s::numeric
           + bytes_written * %(write)s::numeric + byte_seconds * %(retention)s::numeric, {_LIST}
    from added
  on conflict (execution_id, ended_at) do nothing
  returning *
)
insert into durable_ops_cost_day as d (day, function, version, status, executions, {_LIST})
select e.day, e.function, e.version, e.status, count(*) filter (where a.is_first), {", ".join(f"sum(e.{name})" for name in COLUMNS)}
  from entries e join added a on a.id = e.execution_id
 group by e.day, e.function, e.version, e.status
 order by e.day, e.function, e.version, e.status
on conflict (day, function, version, status) do update
   set executions = d.executions + excluded.executions, {", ".join(f"{name} = d.{name} + excluded.{name}" for name in COLUMNS)}
"""  # noqa: S608  only constants

_FORGET = """
delete from durable_ops_cost_entry where (execution_id, ended_at) in (
  select execution_id, ended_at from durable_ops_cost_entry
   where month < (clock_timestamp() - make_interval(days => %(days)s) - interval '1 month') limit 1000)
"""

_SERVER_PRICE = """
insert into durable_ops_price (book, item, amount, per, valid_from, source, added_by)
select %(book)s, %(item)s, %(amount)s, 1, case when exists (select 1 from durable_ops_price where book = %(book)s and item = %(item)s)
         then (clock_timestamp() at time zone 'UTC')::date else date '2020-01-01' end, 'setting SERVER_MONTHLY_USD', 'settings'
 where not exists (select 1 from (
   select amount from durable_ops_price where book = %(book)s and item = %(item)s order by valid_from desc limit 1) last
   where last.amount = %(amount)s)
on conflict (book, item, valid_from) do update set amount = excluded.amount, source = excluded.source, added_by = excluded.added_by
"""


def book(cursor: Cursor, ids: Collection[UUID]) -> None:
    """Books these executions as far as they have ended and are not booked. One statement, within the caller's transaction."""
    cursor.execute(_BOOK, {"ids": list(ids), **_RANK})


def turn(connection: psycopg.Connection[Any], *, behind: int | None = None) -> int:
    """A duty: books what ended since the last turn, for at most a quarter of a second; answers how many ends were looked at.

    Each batch is one transaction with its cursor; a crash repeats nothing and loses nothing. `behind` replaces the seconds that each
    pass stays behind now.
    """
    stop = time.monotonic() + TURN_SECONDS
    seen = 0
    for name, seconds in PASSES.items():
        while (count := _batch(connection, name, seconds if behind is None else behind)) and time.monotonic() < stop:
            seen += count
        seen += count
    return seen


def rewind(cursor: Cursor, since: datetime) -> None:
    """Lets the next turns look again at every end since then: what is booked stays as it is."""
    cursor.execute(_REWIND, {"at": since.astimezone(UTC)})


def keep_house(connection: psycopg.Connection[Any]) -> None:
    """A duty: forgets entries that are too old to be redriven, and notes this server's price when its setting changed."""
    connection.execute(_FORGET, {"days": KEPT_ENTRY_DAYS})
    amount = Decimal(str(getattr(settings, "SERVER_MONTHLY_USD", 0)))
    connection.execute(_SERVER_PRICE, {"book": Book.SERVER.value, "item": Item.MACHINE.value, "amount": amount})


def _batch(connection: psycopg.Connection[Any], name: str, behind: int) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        found = cursor.execute(_READ_CURSOR, {"name": name}).fetchone()
        if found is None:
            # Somebody else holds it, or it is not there yet.
            cursor.execute(_MAKE_CURSOR, {"name": name})
            found = cursor.execute(_READ_CURSOR, {"name": name}).fetchone()
            if found is None:
                return 0
        params = {"at": found[0], "id": found[1], "behind": behind, "limit": LOOKED_AT}
        ends = cursor.execute(_ENDS, params).fetchall()
        if not ends:
            return 0
        seen, ids = _first_unbooked(ends)
        if ids:
            book(cursor, ids)
        cursor.execute(_MOVE_CURSOR, {"name": name, "at": ends[seen - 1][0], "id": ends[seen - 1][1]})
        return seen


def _first_unbooked(ends: list[tuple[datetime, UUID, bool]]) -> tuple[int, list[UUID]]:
    """How many ends a batch covers, and which of them are to be booked: at most BOOKED_AT_ONCE."""
    ids: list[UUID] = []
    for at, (_, execution_id, is_booked) in enumerate(ends):
        if not is_booked:
            if len(ids) == BOOKED_AT_ONCE:
                return at, ids
            ids.append(execution_id)
    return len(ends), ids


def _rank() -> dict[str, Decimal]:
    """Prices per unit of a column, from the list: a rank must be comparable within its month, a bill is made from the book."""
    each = {price.item: price.each for price in LIST_PRICES if price.book is Book.AWS}
    return {
        "request": each[Item.REQUEST],
        "operation": each[Item.OPERATION],
        "compute": each[Item.COMPUTE_X86] / (1024 * 1000),
        "write": each[Item.WRITE] / 10**9,
        "retention": each[Item.RETENTION] / (10**9 * _MONTH_SECONDS),
    }


_RANK = _rank()
