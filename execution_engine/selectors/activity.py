"""What happened lately: executions per span of time by how they ended and how long they took, and the errors that ended them."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.db.models import Aggregate, Count, DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, Value
from django.db.models.functions import Now

from execution_engine.core.enums import ExecutionStatus
from execution_engine.models import Execution
from execution_engine.selectors.failures import read_failure, with_errors
from execution_engine.selectors.search import of_functions

EPOCH = datetime(2020, 1, 6, tzinfo=UTC)
"""Buckets are counted from this Monday, so that they lie at the same times at every look."""

FRESHEST, STALEST = 5.0, 900.0
"""Seconds that the count of a past bucket is believed: an execution that began in it may still end."""

_OLDEST_DUE = """
select min(due.due_at) from durable_function_version v cross join lateral (
  select greatest(e.due_at, e.started_at) as due_at from durable_execution e
   where e.function_version_id = v.id and e.due_at <= statement_timestamp() and e.claim_id is null and e.status = 'RUNNING'
     and e.line is null
   order by e.due_at limit 1) due
 where v.id = any(%(versions)s::bigint[]) and not exists (
   select from durable_limit l where l.function = v.function and coalesce(l.concurrency, l.per_key, l.starts) is not null)
"""

FAILURES_READ = 500
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
    """Executions that started from `at` until the next bucket. `p50` and `p95` are of those that have ended, None if none has."""

    at: datetime
    succeeded: int
    failed: int
    stopped: int
    open: int
    p50: timedelta | None
    p95: timedelta | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Executions of one function that ended because one type of error was raised; `latest_id` is the last, `message` what it said.

    Without a type that an error names, `error_type` says in words how they ended, and `is_named` is False.
    """

    function: str
    error_type: str
    count: int
    latest_at: datetime
    latest_id: UUID
    latest_status: str
    message: str
    is_named: bool


def activity(span: timedelta, width: timedelta, functions: Collection[str] | None = None) -> list[Bucket]:
    """Every bucket of `width` within the last `span`, empty ones included, oldest first; for these functions, None for all.

    At most one query. The newest bucket is always counted; for older ones a cached count may be a quarter of the bucket's age old, and at
    most a quarter of an hour.
    """
    now = datetime.now(UTC)
    last = EPOCH + (now - EPOCH) // width * width
    times = [last - width * number for number in reversed(range(max(int(span / width), 1) + 1))]
    whose = "" if functions is None else hashlib.sha256("\n".join(sorted(functions)).encode()).hexdigest()
    keys = {at: f"durable-activity-{whose}-{width.total_seconds():.0f}-{at.timestamp():.0f}" for at in times}
    known: dict[str, Bucket] = cache.get_many([keys[at] for at in times[:-1]])
    missing = [at for at in times if keys[at] not in known]
    counted = _count(missing, width, of_functions(functions))
    for at in missing[:-1]:
        age = (now - at - width).total_seconds()
        cache.set(keys[at], counted[at], min(max(age / 4, FRESHEST), STALEST) * random.uniform(0.7, 1))  # not all at once
    return [known.get(keys[at]) or counted[at] for at in times]


def _count(times: Sequence[datetime], width: timedelta, functions: Q) -> dict[datetime, Bucket]:
    """The buckets that begin at these times, in order; neighbours are read as one range."""
    ranges: list[list[datetime]] = []
    for at in times:
        if ranges and ranges[-1][1] == at:
            ranges[-1][1] = at + width
        else:
            ranges.append([at, at + width])
    within = Q()
    for begin, end in ranges:
        within |= Q(started_at__gte=begin, started_at__lt=end)
    ended = Q(ended_at__isnull=False)
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    found = Execution.objects.filter(within, functions).order_by()
    rows = (
        found.annotate(at=DateBin(Value(width, output_field=DurationField()), F("started_at"), Value(EPOCH)))
        .values("at")
        .annotate(
            succeeded=Count("id", filter=Q(status=ExecutionStatus.SUCCEEDED)),
            failed=Count("id", filter=Q(status__in=_FAILED)),
            stopped=Count("id", filter=Q(status=ExecutionStatus.STOPPED)),
            open=Count("id", filter=~ended),
            p50=Percentile(took, fraction=0.5),
            p95=Percentile(took, fraction=0.95),
        )
    )
    counted = {row["at"]: Bucket(**row) for row in rows}
    return {at: counted.get(at) or Bucket(at, 0, 0, 0, 0, None, None) for at in times}


def failure_groups(span: timedelta, functions: Collection[str] | None = None) -> list[FailureGroup]:
    """The failures of the last `span`, most frequent first; at most the newest 500 are looked at. One query."""
    found = Execution.objects.filter(of_functions(functions), status__in=_FAILED, started_at__gt=Now() - span).order_by("-started_at")
    rows = with_errors(found).values("id", "function", "status", "ended_at", "beginning", "behind")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows[:FAILURES_READ]:
        row["failure"] = read_failure(row["beginning"], row["behind"])
        nameless = "Timed out" if row["status"] == ExecutionStatus.TIMED_OUT else "Unknown error"
        groups[row["function"], row["failure"].error_type or nameless].append(row)
    return sorted((_group(key, members) for key, members in groups.items()), key=lambda group: (-group.count, group.function))


def oldest_due(versions: Collection[int]) -> datetime | None:
    """Since when the execution of these versions that waits longest for a worker has been due; None when none waits.

    Meant for versions that live workers serve: what nobody serves is stranded, not late. Functions with limits are left out, because a
    limit may hold their executions back, which is not known here. One look per version.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_DUE, {"versions": list(versions)})
        found: datetime | None = cursor.fetchone()[0]
    return found


def _group(key: tuple[str, str], members: Sequence[dict[str, Any]]) -> FailureGroup:
    latest = max(members, key=lambda row: row["ended_at"])
    failure = latest["failure"]
    named = failure.error_type is not None
    return FailureGroup(*key, len(members), latest["ended_at"], latest["id"], latest["status"], failure.message, named)
