"""The limits of functions and how much of them is taken."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from execution_engine.core.limits import Limits
from execution_engine.models import Execution, FunctionVersion, Limit

_LIMITS = tuple(Limits.__dataclass_fields__)

_STANDING = """
select v.function,
       (select count(*) from durable_execution e
         where e.claim_id is not null and e.function_version_id = any(array_agg(v.id))) as running,
       (select count(*) from (
          select 1 from durable_execution e
           where e.function_version_id = any(array_agg(v.id)) and e.line <> '' and e.due_at is not null limit %(most)s) k) as for_key,
       (select count(*) from (
          select 1 from durable_execution e
           where e.function_version_id = any(array_agg(v.id)) and e.line = '' and e.due_at is not null limit %(most)s) s) as for_start
  from durable_function_version v
 where v.function = any(%(functions)s)
 group by v.function
"""

COUNTED = 1_000
"""Those that wait are counted up to here."""


@dataclass(frozen=True, slots=True)
class FunctionLimits:
    """`running` counts claims of all versions; `waiting_for_key` and `waiting_for_start` those that a limit per key or a rate took out of
    the queue, at most `COUNTED`. `revision` 0: nobody has set any."""

    function: str
    limits: Limits
    revision: int
    changed_at: datetime | None
    running: int
    waiting_for_key: int
    waiting_for_start: int


def function_limits(functions: Collection[str]) -> dict[str, FunctionLimits]:
    """Of each function that has a version. Two queries."""
    rows = {
        row["function"]: row for row in Limit.objects.filter(function__in=functions).values("function", "revision", "changed_at", *_LIMITS)
    }
    found: dict[str, FunctionLimits] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"functions": list(functions), "most": COUNTED})
        for function, running, for_key, for_start in cursor.fetchall():
            row = rows.get(function)
            limits = Limits(**{name: row[name] for name in _LIMITS}) if row else Limits()
            revision, changed_at = (row["revision"], row["changed_at"]) if row else (0, None)
            found[function] = FunctionLimits(function, limits, revision, changed_at, running, for_key, for_start)
    return found


HOLDERS = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """An execution with a claim, and since when its invocation runs."""

    id: UUID
    name: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class HeldLimit:
    """A limit that lets nobody pass now: "limit held by 5 of 5", the longest running of those who have it, and how many they are.

    Of a rate `until` is when the next start is due, and `start_due_at` when that of the execution asked for is, if only the rate holds
    it; an ended invocation frees the other limits, and nobody knows when.
    """

    sentence: str
    taken: int
    holders: tuple[Holder, ...] = ()
    until: datetime | None = None
    start_due_at: datetime | None = None


FULL_SQL = """
coalesce(claim_id is null and status = 'RUNNING' and line is null and due_at <= statement_timestamp() and (
  select (select count(*) from durable_execution r join durable_function_version v on v.id = r.function_version_id
           where v.function = l.function and r.claim_id is not null) >= l.concurrency
    from durable_limit l where l.function = durable_execution.function), false)
"""
"""Whether an execution is due and as many of its function have a claim as may; a look at the small table where nothing is limited."""


def held_by(function: str, line: str | None, rank: int, now: datetime) -> list[HeldLimit]:
    """What holds back an execution that is due, the `rank`-th in this line or (None) in the queue. One query where nothing is limited."""
    row = Limit.objects.filter(function=function).values(*_LIMITS, "tokens", "tokens_at").first()
    limits = Limits(**{name: row[name] for name in _LIMITS}) if row else Limits()
    found = []
    versions = FunctionVersion.objects.filter(function=function).values("id")
    running = Execution.objects.filter(claim_id__isnull=False, function_version_id__in=versions)
    if limits.concurrency is not None and (taken := running.count()) >= limits.concurrency:
        sentence = f"Limit of {function} held by {taken} of {limits.concurrency}."
        found.append(HeldLimit(sentence, taken, _holders(running)))
    if limits.per_key is not None and line:
        alike = running.filter(concurrency_key=line)
        taken = alike.count()
        found.append(HeldLimit(f"Limit of concurrency key {line} held by {taken} of {limits.per_key}.", taken, _holders(alike)))
    if row and limits.starts is not None and line == "":
        sentence = f"Rate of starts: {limits.starts} per {limits.seconds} s, {limits.burst} at once after a quiet time."
        following, own = (limits.start_due_at(row["tokens"], row["tokens_at"], one) for one in (1, rank))
        assert following and own
        found.append(HeldLimit(sentence, 0, until=max(following, now), start_due_at=None if found else max(own, now)))
    return found


def _holders(running: QuerySet[Execution]) -> tuple[Holder, ...]:
    rows = running.order_by("invocation_started_at").values_list("id", "name", "invocation_started_at")
    return tuple(Holder(*row) for row in rows[:HOLDERS])
