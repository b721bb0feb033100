"""What the booked days of a span cost: in all, by function, by bucket of the chart; retries and failures apart; what it costs elsewhere.

Reads the days, never the executions, so its time does not grow with their number.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection

from durable_ops.costs.bills import Basis, Bill, Meter, durable_charges, make_bill, standing_bill, step_functions_charges
from durable_ops.costs.prices import Book, Item, PriceBook
from execution_engine.selectors.costs import COLUMNS, COUNTED, Usage, usage_from

FAILED = ("FAILED", "TIMED_OUT")
DEAREST = 10


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `since` to `until`, both included (UTC); `by_month` says how wide the buckets of the chart are."""

    words: str
    since: date
    until: date
    by_month: bool = False

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]

    @property
    def months(self) -> list[date]:
        return sorted({day.replace(day=1) for day in self.days})

    def bucket(self, day: date) -> date:
        return day.replace(day=1) if self.by_month else day

    @property
    def buckets(self) -> list[date]:
        return self.months if self.by_month else self.days


SPAN_WORDS = {"month": "This month", "last": "Last month", "30d": "30 days", "90d": "90 days", "12m": "12 months"}


def make_span(key: str, today: date) -> Span:
    """The span of a key of SPAN_WORDS; this month for every other text."""
    first = today.replace(day=1)
    if key == "last":
        until = first - timedelta(days=1)
        return Span(SPAN_WORDS[key], until.replace(day=1), until)
    if key in ("30d", "90d"):
        return Span(SPAN_WORDS[key], today - timedelta(days=int(key[:-1]) - 1), today)
    if key == "12m":
        year, month = divmod(today.year * 12 + today.month - 1 - 11, 12)
        return Span(SPAN_WORDS[key], date(year, month + 1, 1), today, by_month=True)
    return Span(SPAN_WORDS["month"], first, today)


def utc_today() -> date:
    return datetime.now(UTC).date()


@dataclass(slots=True)
class FunctionCost:
    """`retries` and `failed` are parts of `total`, and may overlap."""

    function: str
    executions: int = 0
    total: Decimal = Decimal()
    retries: Decimal = Decimal()
    failed: Decimal = Decimal()
    usage: Usage = field(default_factory=Usage)

    @property
    def each(self) -> Decimal | None:
        return self.total / self.executions if self.executions else None


@dataclass(frozen=True)
class Report:
    """`functions` are dearest first; `amounts` maps (bucket, function) to US dollars; `elsewhere` are bills of the same work."""

    span: Span
    durable: Bill
    functions: tuple[FunctionCost, ...]
    amounts: Mapping[tuple[date, str], Decimal]
    elsewhere: tuple[Bill, ...]
    server: Bill

    @cached_property
    def executions(self) -> int:
        return sum(one.executions for one in self.functions)

    @cached_property
    def usage(self) -> Usage:
        return sum((one.usage for one in self.functions), Usage())

    @cached_property
    def total(self) -> Decimal:
        return sum((one.total for one in self.functions), Decimal())

    @cached_property
    def retries(self) -> Decimal:
        return sum((one.retries for one in self.functions), Decimal())

    @cached_property
    def failed(self) -> Decimal:
        return sum((one.failed for one in self.functions), Decimal())


def make_report(span: Span, book: PriceBook, basis: Basis, *, function: str = "", machines: int = 1) -> Report:
    """Two queries."""
    meter = Meter(basis, book)
    functions: dict[str, FunctionCost] = {}
    usages = []
    for day, name, is_failed, executions, usage in _read_functions(span, book, function):
        amount = meter.amount(day, usage.total)
        one = functions.setdefault(name, FunctionCost(name))
        one.executions += executions
        one.usage += usage
        one.total += amount
        one.retries += meter.amount(day, usage.retries)
        one.failed += amount if is_failed else 0
        usages.append((day, usage))
    return Report(
        span,
        make_bill("Durable functions", durable_charges(basis), usages, book),
        tuple(sorted(functions.values(), key=lambda one: (-one.total, one.function))),
        _read_amounts(span, book, meter, function),
        (
            make_bill("AWS Step Functions", step_functions_charges(basis), usages, book),
            standing_bill("Self-hosted cluster, from", (Book.CLUSTER, Item.CLUSTER_LOW), span.days, book),
            standing_bill("Self-hosted cluster, to", (Book.CLUSTER, Item.CLUSTER_HIGH), span.days, book),
        ),
        standing_bill("This server", (Book.SERVER, Item.MACHINE), span.days, book, machines=machines),
    )


# Rows begin anew where a price does, so that each has one price. Index: the primary key of the days.
_BEGINS = "(select max(change) from unnest(%(changes)s::date[]) as c(change) where change <= d.day)"
_OF_SPAN = "where d.day between %(since)s and %(until)s and (%(function)s = '' or d.function = %(function)s)"

_FUNCTIONS = f"""
select begins, function, status = any(%(failed)s), sum(executions), {", ".join(f"sum({name})" for name in COLUMNS)}
  from (select d.*, greatest(%(since)s::date, {_BEGINS}) as begins from durable_ops_cost_day d {_OF_SPAN}) days
 group by 1, 2, 3 order by 1, 2, 3
"""  # noqa: S608  only constants

_AMOUNTS = f"""
select bucket, function, {", ".join(f"sum({name})" for name in COUNTED)}
  from (select d.*, case when %(by_month)s then greatest(date_trunc('month', d.day)::date, {_BEGINS}) else d.day end as bucket
          from durable_ops_cost_day d {_OF_SPAN}) days
 group by 1, 2 order by 1, 2
"""  # noqa: S608  only constants


def _read_functions(span: Span, book: PriceBook, function: str) -> list[tuple[date, str, bool, int, Usage]]:
    """First day, function, whether its executions failed, how many ended, and what they used, between two changes of prices."""
    rows = _fetch(_FUNCTIONS, _asked(span, book, function))
    return [(row[0], row[1], row[2], int(row[3]), usage_from(row[4:])) for row in rows]


def _read_amounts(span: Span, book: PriceBook, meter: Meter, function: str) -> dict[tuple[date, str], Decimal]:
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for day, name, *numbers in _fetch(_AMOUNTS, _asked(span, book, function)):
        amounts[span.bucket(day), name] += meter.sum(day, numbers)
    return dict(amounts)


def _asked(span: Span, book: PriceBook, function: str) -> dict[str, Any]:
    return {
        "failed": list(FAILED),
        "by_month": span.by_month,
        "changes": book.changes(),
        "since": span.since,
        "until": span.until,
        "function": function,
    }


_DAYS = f"""
select day, function, version, status, executions, {", ".join(COLUMNS)} from durable_ops_cost_day
 where day between %(since)s and %(until)s and (%(function)s = '' or function = %(function)s)
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


def read_days(since: date, until: date, function: str = "") -> list[Day]:
    """One query, oldest first."""
    rows = _fetch(_DAYS, {"since": since, "until": until, "function": function})
    return [Day(*row[:5], usage=usage_from(row[5:])) for row in rows]


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
    return [DearExecution(*row[:5], usage=usage_from(row[5:])) for row in _fetch(_DEAREST, params)]


def _fetch(query: str, params: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())
