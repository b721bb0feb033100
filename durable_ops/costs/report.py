"""What the booked days of a span cost: in all, by function, by bucket of the chart; retries and failures apart; what it costs elsewhere.

Reads the days, never the executions, so its time does not grow with their number.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from durable_ops.costs.bills import Basis, Bill, Meter, durable_charges, make_bill, standing_bill, step_functions_charges
from durable_ops.costs.booked import fetch
from durable_ops.costs.prices import Book, Item, PriceBook
from durable_ops.costs.spans import Span
from execution_engine.selectors.costs import COLUMNS, COUNTED, Usage, usage_from

FAILED = ("FAILED", "TIMED_OUT")


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


def make_report(span: Span, book: PriceBook, basis: Basis, *, functions: Collection[str] | None = None, machines: int = 1) -> Report:
    """Of these functions, of all for None. Two queries."""
    meter = Meter(basis, book)
    found: dict[str, FunctionCost] = {}
    usages = []
    for day, name, is_failed, executions, usage in _read_functions(span, book, functions):
        amount = meter.amount(day, usage.total)
        one = found.setdefault(name, FunctionCost(name))
        one.executions += executions
        one.usage += usage
        one.total += amount
        one.retries += meter.amount(day, usage.retries)
        one.failed += amount if is_failed else 0
        usages.append((day, usage))
    return Report(
        span,
        make_bill("Durable functions", durable_charges(basis), usages, book),
        tuple(sorted(found.values(), key=lambda one: (-one.total, one.function))),
        _read_amounts(span, book, meter, functions),
        (
            make_bill("AWS Step Functions", step_functions_charges(basis), usages, book),
            standing_bill("Self-hosted cluster, from", (Book.CLUSTER, Item.CLUSTER_LOW), span.days, book),
            standing_bill("Self-hosted cluster, to", (Book.CLUSTER, Item.CLUSTER_HIGH), span.days, book),
        ),
        standing_bill("This server", (Book.SERVER, Item.MACHINE), span.days, book, machines=machines),
    )


# Rows begin anew where a price does, so that each has one price. Index: the primary key of the days.
_BEGINS = "(select max(change) from unnest(%(changes)s::date[]) as c(change) where change <= d.day)"
_OF_SPAN = "where d.day between %(since)s and %(until)s and (%(functions)s::text[] is null or d.function = any(%(functions)s::text[]))"

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


def _read_functions(span: Span, book: PriceBook, functions: Collection[str] | None) -> list[tuple[date, str, bool, int, Usage]]:
    """First day, function, whether its executions failed, how many ended, and what they used, between two changes of prices."""
    rows = fetch(_FUNCTIONS, _asked(span, book, functions))
    return [(row[0], row[1], row[2], int(row[3]), usage_from(row[4:])) for row in rows]


def _read_amounts(span: Span, book: PriceBook, meter: Meter, functions: Collection[str] | None) -> dict[tuple[date, str], Decimal]:
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for day, name, *numbers in fetch(_AMOUNTS, _asked(span, book, functions)):
        amounts[span.bucket(day), name] += meter.sum(day, numbers)
    return dict(amounts)


def _asked(span: Span, book: PriceBook, functions: Collection[str] | None) -> dict[str, Any]:
    return {
        "failed": list(FAILED),
        "by_month": span.by_month,
        "changes": book.changes(),
        "since": span.since,
        "until": span.until,
        "functions": None if functions is None else sorted(functions),
    }
