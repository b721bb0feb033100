"""The cost of one execution: what is booked once it has ended, what it has used so far while it is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from durable_ops.costs.bills import Basis, Meter
from durable_ops.costs.prices import PriceBook
from durable_ops.costs.spans import utc_today
from durable_ops.models import CostEntry
from execution_engine.selectors.costs import COLUMNS, OperationUsage, Quantities, Usage, get_usage, usage_from


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """`parts` are what was used by the day whose prices count: one per booked end, the last for what is not booked yet.

    `is_final` says that all of it is booked.
    """

    parts: tuple[tuple[date, Usage], ...]
    is_final: bool
    total: Decimal

    @property
    def usage(self) -> Usage:
        return sum((usage for _, usage in self.parts), Usage())

    @property
    def day(self) -> date:
        return self.parts[-1][0]


@dataclass(frozen=True, slots=True)
class OperationCost:
    """`active_ms` is its share of the execution's compute: parallel branches share the time in which they ran together."""

    operation: OperationUsage
    active_ms: int
    amount: Decimal


def execution_cost(execution_id: UUID, ended_at: datetime | None, book: PriceBook, basis: Basis = Basis.X86) -> ExecutionCost:
    """One query when its last end, `ended_at`, is booked, else two. Raises ExecutionNotFoundError."""
    entries = CostEntry.objects.filter(execution_id=execution_id).order_by("ended_at")
    rows = list(entries.values_list("ended_at", "day", *COLUMNS))
    parts = [(row[1], usage_from(row[2:])) for row in rows]
    is_final = bool(rows) and rows[-1][0] == ended_at
    if not is_final:
        booked = sum((usage for _, usage in parts), Usage())
        parts.append((ended_at.astimezone(UTC).date() if ended_at else utc_today(), get_usage(execution_id).usage - booked))
    meter = Meter(basis, book)
    total = sum((meter.amount(day, usage.total) for day, usage in parts), Decimal())
    return ExecutionCost(tuple(parts), is_final, total)


def operation_costs(
    cost: ExecutionCost, operations: Sequence[OperationUsage], book: PriceBook, basis: Basis = Basis.X86
) -> list[OperationCost]:
    """What each of these operations adds: its operations, its share of the compute, what it wrote. Retention is the execution's."""
    meter = Meter(basis, book)
    usage = cost.usage
    ran = sum(one.active_ms for one in operations)
    share = min(Decimal(1), Decimal(usage.active_ms) / ran) if ran else Decimal(0)
    memory = Decimal(usage.total.mb_ms) / usage.active_ms if usage.active_ms else Decimal(0)
    costs = []
    for one in operations:
        active_ms = int(one.active_ms * share)
        quantities = Quantities(operations=one.operations, mb_ms=int(active_ms * memory), bytes_written=one.bytes_written)
        costs.append(OperationCost(one, active_ms, meter.amount(cost.day, quantities)))
    return costs
