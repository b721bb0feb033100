"""Executions: the list by page, one in detail, and payloads."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from execution_engine.conf import engine_settings
from execution_engine.core.errors import ExecutionNotFoundError, InvalidInputError
from execution_engine.core.identifiers import execution_arn
from execution_engine.models import Execution, Operation
from execution_engine.selectors import states
from execution_engine.selectors.explain import DerivedState, ExecutionFacts, OpenOperation, derived_state
from execution_engine.selectors.limits import FULL_SQL
from execution_engine.selectors.search import Count, ExecutionFilters, Precision, estimate, make_search
from execution_engine.selectors.workers import FRESH, served_version_ids

MAX_PAGE = 200
COUNTED = 10_000
"""Counts are exact up to here; beyond, the planner's estimate does: a million index entries would be read for the number."""

EVERYTHING = 2**31

_FACTS = tuple(ExecutionFacts.__dataclass_fields__)
_SUMMARY = ("name", "status_text", "attributes", "tenant_id", "started_by", "deadline_at", "event_seq", "wake_seq")
_DETAIL: tuple[str, ...] = ("execution_timeout", "retention_days", "claimed_by", "parent_id", "redrive_count", "forked_from")
_DETAIL += ("concurrency_key", "traceparent", "correlation_id")

_PAYLOADS = ("input", "result", "error")
_ONE = tuple(dict.fromkeys((*_FACTS, *_SUMMARY, *_DETAIL)))
_ONE_SQL = """
select statement_timestamp(),
       exists (select 1 from durable_worker w
                where w.seen_at > statement_timestamp() - make_interval(secs => %(fresh)s) and not w.is_draining
                  and w.version_ids @> to_jsonb(function_version_id)), {full}, {columns}
  from durable_execution where id = %(id)s"""


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """One execution without its payloads. `read_at` is the database's time of the answer."""

    id: UUID
    arn: str
    function: str
    version: str
    function_version_id: int
    name: str
    status: str
    state: DerivedState
    started_at: datetime
    ended_at: datetime | None
    deadline_at: datetime | None
    status_text: str
    attributes: Mapping[str, Any]
    tenant_id: str | None
    started_by: str
    invocations: int
    event_seq: int
    wake_seq: int
    read_at: datetime

    @property
    def duration(self) -> timedelta:
        return (self.ended_at or self.read_at) - self.started_at

    @property
    def is_terminal(self) -> bool:
        return self.state.code.is_terminal


@dataclass(frozen=True, slots=True)
class ExecutionDetail:
    """`summary` and what only the page of one execution shows; times in seconds and days as asked for at the start."""

    summary: ExecutionSummary
    traceparent: str | None
    correlation_id: str | None
    execution_timeout: int | None
    retention_days: int
    claimed_by: UUID | None
    parent_id: UUID | None
    redrive_count: int
    forked_from: UUID | None
    due_at: datetime | None
    invocation_started_at: datetime | None
    failed_invocations: int
    last_event_at: datetime
    line: str | None = None
    concurrency_key: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionPayloads:
    """Texts as the serdes wrote them; `error` is the wire's error object as JSON text."""

    input: str | None
    result: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """`looked_back_to` is set when the search ended before the page was full; what started earlier may be on the next page."""

    items: tuple[ExecutionSummary, ...]
    next_cursor: str | None
    looked_back_to: datetime | None = None


def list_executions(
    filters: ExecutionFilters, cursor: str | None = None, limit: int = 50, *, served: Collection[int] | None = None
) -> Page:
    """Newest first. Raises InvalidInputError (cursor, limit). `served`, when it is known already, saves a query.

    Three queries where an index answers the filters: workers, executions, their open operations. Otherwise a look at a bounded number
    of candidates comes first, and when it finds less than a page, the question where it ended.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"A page holds 1 to {MAX_PAGE} executions.", field="limit", limit=MAX_PAGE, value=limit)
    served = served_version_ids() if served is None else served
    search = make_search(filters, served)
    if cursor:
        search = search.before(*_read_cursor(cursor))
    if not search.is_examined:
        found = search.candidates.order_by("-started_at", "-id")[: limit + 1]
        return _page(found, served, limit)
    ids = states.find(search.candidates, search.state, limit + 1, search.examined)
    page = _page(Execution.objects.filter(id__in=ids).order_by("-started_at", "-id"), served, limit)
    last = states.last_examined(search.candidates, search.examined) if page.next_cursor is None else None
    return page if last is None else Page(page.items, _cursor(*last), looked_back_to=last[0])


def count_executions(filters: ExecutionFilters, upto: int = COUNTED, *, served: Collection[int] | None = None) -> Count:
    """How many match: exact up to `upto`, beyond that the planner's estimate. At most three queries."""
    search = make_search(filters, served_version_ids() if served is None else served)
    if search.is_examined:
        number = states.count(search.candidates, search.state, search.examined)
        return Count(number, Precision.AT_LEAST if states.last_examined(search.candidates, search.examined) else Precision.EXACT)
    number = search.candidates.order_by().values("id")[: upto + 1].count()
    if number <= upto:
        return Count(number, Precision.EXACT)
    return Count(max(estimate(search.candidates), number), Precision.ESTIMATED)


def matching_ids(filters: ExecutionFilters, limit: int) -> list[UUID]:
    """Ids of all that match, newest first, however far back they lie; `limit + 1` of them when there are more than `limit`.

    For a bulk action that freezes its set: it may take seconds where a page takes milliseconds.
    """
    search = make_search(filters, served_version_ids())
    if not search.is_examined:
        return list(search.candidates.order_by("-started_at", "-id").values_list("id", flat=True)[: limit + 1])
    return states.find(search.candidates, search.state, limit + 1, EVERYTHING)


def get_execution(execution_id: UUID) -> ExecutionDetail:
    """Without payloads. One query, and one for the open operations of an open one that has any. Raises ExecutionNotFoundError."""
    return _detail(_read_one(execution_id, _ONE))


def get_execution_with_payloads(execution_id: UUID) -> tuple[ExecutionDetail, ExecutionPayloads]:
    """As `get_execution`, with the payloads in the same query."""
    row = _read_one(execution_id, _ONE + _PAYLOADS)
    return _detail(row), ExecutionPayloads(**{name: row[name] for name in _PAYLOADS})


def _read_one(execution_id: UUID, columns: Sequence[str]) -> dict[str, Any]:
    """Plain SQL, because the answer to every start is made of it: Django would take longer to write the query than PostgreSQL to run it."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_SQL.format(full=FULL_SQL, columns=", ".join(columns)), {"id": execution_id, "fresh": FRESH.total_seconds()})
        found = cursor.fetchone()
    if found is None:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    row = dict(zip(("read_at", "is_served", "is_full", *columns), found, strict=True))
    return {**row, "attributes": json.loads(row["attributes"])}


def _detail(row: Mapping[str, Any]) -> ExecutionDetail:
    # The first event is ExecutionStarted: without a second there is no operation.
    has_operations = row["ended_at"] is None and row["event_seq"] != 1
    operations = open_operations([row["id"]] if has_operations else [])
    summary = _summary(row, operations, [row["function_version_id"]] if row["is_served"] else [])
    names = ("due_at", "invocation_started_at", "failed_invocations", "last_event_at", "line", *_DETAIL)
    return ExecutionDetail(summary=summary, **{name: row[name] for name in names})


def get_payloads(execution_id: UUID) -> ExecutionPayloads:
    """Raises ExecutionNotFoundError."""
    row = Execution.objects.filter(id=execution_id).values("input", "result", "error").first()
    if row is None:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    return ExecutionPayloads(**row)


def find_child(execution_id: UUID, operation_id: str) -> UUID | None:
    """The execution that this chained invoke started; None if it started none, as for a plain function."""
    found = Execution.objects.filter(parent_id=execution_id, parent_operation_id=operation_id)
    return found.order_by("-started_at").values_list("id", flat=True).first()


def named_executions(function: str, names: Sequence[str]) -> list[ExecutionSummary]:
    """Those that exist, newest first; at most a page of names. No query for no names. Index: execution_name_of_function."""
    if not names:
        return []
    found = Execution.objects.filter(function=function, name__in=names).order_by("-started_at", "-id")
    return list(_page(found, served_version_ids(), MAX_PAGE).items)


def find_executions(execution_ids: Sequence[UUID]) -> list[ExecutionSummary]:
    """Those that are there, newest first; at most a page of ids. Two or three queries, none for no ids."""
    if not execution_ids:
        return []
    found = Execution.objects.filter(id__in=execution_ids).order_by("-started_at", "-id")
    return list(_page(found, served_version_ids(), MAX_PAGE).items)


def open_operations(execution_ids: Sequence[UUID]) -> dict[UUID, list[OpenOperation]]:
    """The operations of these executions that have not ended, without payloads; no query for no ids."""
    grouped: dict[UUID, list[OpenOperation]] = defaultdict(list)
    if execution_ids:
        rows = Operation.objects.filter(states.OPEN, execution_id__in=execution_ids).order_by("start_event")
        for row in rows.values(*OpenOperation.__dataclass_fields__):
            grouped[row["execution_id"]].append(OpenOperation(**row))
    return grouped


def _page(found: QuerySet[Execution], served: Collection[int], limit: int) -> Page:
    rows = list(_with_columns(found, _SUMMARY))
    shown = rows[:limit]
    operations = open_operations([row["id"] for row in shown if row["status"] == "RUNNING"])
    items = tuple(_summary(row, operations, served) for row in shown)
    return Page(items, _cursor(items[-1].started_at, items[-1].id) if len(rows) > limit else None)


def _with_columns(found: QuerySet[Execution], columns: Iterable[str]) -> Any:
    return found.annotate(read_at=Now(), is_full=RawSQL(FULL_SQL, ())).values(*_FACTS, *columns, "read_at", "is_full")  # noqa: S611 - a constant


def _summary(row: Mapping[str, Any], operations: Mapping[UUID, Sequence[OpenOperation]], served: Collection[int]) -> ExecutionSummary:
    facts = ExecutionFacts(**{name: row[name] for name in _FACTS})
    engine = engine_settings()
    arn = execution_arn(engine.REGION, engine.ACCOUNT, facts.function, facts.version, row["name"], facts.id)
    state = derived_state(facts, operations.get(facts.id, ()), now=row["read_at"], served=served, is_full=row["is_full"])
    names = set(ExecutionSummary.__dataclass_fields__) - {"arn", "state"}
    return ExecutionSummary(arn=arn, state=state, **{name: row[name] for name in names})


def _cursor(started_at: datetime, last: UUID) -> str:
    return urlsafe_b64encode(f"{started_at.isoformat()}|{last}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        return datetime.fromisoformat(at).astimezone(UTC), UUID(last)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise InvalidInputError("This page address is not one of ours.", field="cursor", value=cursor) from error
