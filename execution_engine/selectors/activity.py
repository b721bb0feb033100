"""What happened lately: executions per span of time by how they ended, how long they took, and which errors ended them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, Value
from django.db.models.functions import Now, Substr

from execution_engine.core.enums import ExecutionStatus
from execution_engine.models import Execution

EPOCH = datetime(2020, 1, 6, tzinfo=UTC)
"""Buckets are counted from here, a Monday, so that they stay where they are from one look to the next."""

FAILURES_READ = 500
ERROR_READ = 2_000
_ERROR_TYPE = re.compile(r'"ErrorType":\s*"((?:[^"\\]|\\.){1,200})"')
_FAILED = (ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT)


class DateBin(Func):
    function = "DATE_BIN"
    output_field = DateTimeField()


class Percentile(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class Bucket:
    """Executions that started from `at` until the next bucket; `p50` and `p95` of those that ended, None without any."""

    at: datetime
    succeeded: int
    failed: int
    stopped: int
    open: int
    p50: timedelta | None
    p95: timedelta | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Executions of one function that ended with one type of error; `latest_id` is the last of them."""

    function: str
    error_type: str
    count: int
    latest_at: datetime
    latest_id: UUID


def activity(span: timedelta, width: timedelta) -> list[Bucket]:
    """Every bucket of `width` within the last `span`, also empty ones, oldest first. One query over the starts of that time."""
    ended = Q(ended_at__isnull=False)
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    found = Execution.objects.filter(started_at__gt=Now() - span).order_by()
    rows = (
        found.annotate(at=DateBin(Value(width, output_field=DurationField()), F("started_at"), Value(EPOCH)), now=Now())
        .values("at", "now")
        .annotate(
            succeeded=Count("id", filter=Q(status=ExecutionStatus.SUCCEEDED)),
            failed=Count("id", filter=Q(status__in=_FAILED)),
            stopped=Count("id", filter=Q(status=ExecutionStatus.STOPPED)),
            open=Count("id", filter=~ended),
            p50=Percentile(took, fraction=0.5),
            p95=Percentile(took, fraction=0.95),
        )
    )
    return _filled(list(rows), span, width)


def failure_groups(span: timedelta) -> list[FailureGroup]:
    """The failures of the last `span`, most frequent first; at most the newest 500 are looked at. One query."""
    found = Execution.objects.filter(status__in=_FAILED, started_at__gt=Now() - span).order_by("-started_at")
    rows = found.values("id", "function", "status", "ended_at").annotate(beginning=Substr("error", 1, ERROR_READ))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows[:FAILURES_READ]:
        match = _ERROR_TYPE.search(row["beginning"] or "")
        kind = match.group(1) if match else ("Timed out" if row["status"] == ExecutionStatus.TIMED_OUT else "Unknown error")
        groups[row["function"], kind].append(row)
    return sorted((_group(key, members) for key, members in groups.items()), key=lambda group: (-group.count, group.function))


def oldest_due() -> datetime | None:
    """Since when the execution that waits longest for a worker is due; None when none waits."""
    found = Execution.objects.filter(status=ExecutionStatus.RUNNING, claim_id__isnull=True, due_at__lte=Now())
    waiting: datetime | None = found.order_by("due_at").values_list("due_at", flat=True).first()
    return waiting


def _group(key: tuple[str, str], members: Sequence[dict[str, Any]]) -> FailureGroup:
    latest = max(members, key=lambda row: row["ended_at"])
    return FailureGroup(key[0], key[1], len(members), latest["ended_at"], latest["id"])


def _filled(rows: list[dict[str, Any]], span: timedelta, width: timedelta) -> list[Bucket]:
    now = rows[0]["now"] if rows else datetime.now(UTC)
    by_time = {row["at"]: row for row in rows}
    last = EPOCH + (now - EPOCH) // width * width
    times = [last - width * number for number in reversed(range(max(int(span / width), 1) + 1))]
    empty = {"succeeded": 0, "failed": 0, "stopped": 0, "open": 0, "p50": None, "p95": None}
    return [Bucket(at=at, **{name: by_time.get(at, empty)[name] for name in empty}) for at in times]
