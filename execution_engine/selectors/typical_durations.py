"""How long the operations of a function typically take, from its latest executions that succeeded."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Extract

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.models import Execution, Operation

SAMPLED_EXECUTIONS = 60
SAMPLED_OPERATIONS = 6_000
FEWEST_SAMPLES = 5
"""A name with fewer durations than these has no entry."""


@dataclass(frozen=True, slots=True)
class TypicalDuration:
    """Median and 95th percentile of `count` durations."""

    p50: timedelta
    p95: timedelta
    count: int


def typical_durations(function: str, version: str, names: Collection[str]) -> dict[str, TypicalDuration]:
    """By operation name, of steps, child contexts and invokes. One query, none without names."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    latest = Execution.objects.filter(function=function, version=version, status=ExecutionStatus.SUCCEEDED)
    ids = latest.order_by("-started_at").values("id")[:SAMPLED_EXECUTIONS]
    seconds = Extract(F("ended_at") - F("started_at"), "epoch")
    timed = (OperationType.STEP, OperationType.CONTEXT, OperationType.CHAINED_INVOKE)
    found = Operation.objects.filter(execution_id__in=ids, name__in=wanted, type__in=timed, status=OperationStatus.SUCCEEDED)
    sampled = found.order_by()[:SAMPLED_OPERATIONS].annotate(seconds=seconds).values("name", "seconds")
    return _percentiles(list(sampled))


def _percentiles(rows: list[dict[str, float]]) -> dict[str, TypicalDuration]:
    by_name: dict[str, list[float]] = {}
    for row in rows:
        by_name.setdefault(str(row["name"]), []).append(float(row["seconds"]))
    return {name: _summarize(sorted(values)) for name, values in by_name.items() if len(values) >= FEWEST_SAMPLES}


def _summarize(values: list[float]) -> TypicalDuration:
    def part(share: float) -> timedelta:
        return timedelta(seconds=values[min(len(values) - 1, round(share * (len(values) - 1)))])

    return TypicalDuration(part(0.5), part(0.95), len(values))
