"""Executions: the list by page, one in detail, its payloads."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from execution_engine.conf import engine_settings
from execution_engine.core.errors import ExecutionNotFoundError, InvalidInputError
from execution_engine.core.identifiers import execution_arn
from execution_engine.models import Execution, Operation
from execution_engine.selectors.explain import DerivedState, ExecutionFacts, OpenOperation, StateCode, derived_state
from execution_engine.selectors.states import OPEN, in_state
from execution_engine.selectors.workers import served_version_ids

MAX_PAGE = 200
COUNTED = 10_000
"""Counts are exact up to here; beyond, nobody needs the number and a million index entries would be read for it."""

_FACTS = tuple(ExecutionFacts.__dataclass_fields__)
_SUMMARY = ("name", "status_text", "attributes", "tenant_id", "started_by", "deadline_at", "event_seq", "wake_seq")
_DETAIL = ("execution_timeout", "retention_days", "claimed_by", "parent_id", "redrive_count", "forked_from")
_HEX = frozenset("0123456789abcdef-")


@dataclass(frozen=True, slots=True)
class ExecutionFilters:
    """What a list may be narrowed by; None and empty mean "any". `parent_id` keeps the children of one execution.

    `text` is a prefix of the name or (at least 8 hexadecimal digits) of the id. Every attribute must be
    equal; a number or truth value also matches its text.
    """

    status: str | None = None
    state: StateCode | None = None
    function: str | None = None
    version: str | None = None
    name: str | None = None
    text: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parent_id: UUID | None = None


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


@dataclass(frozen=True, slots=True)
class ExecutionPayloads:
    """Opaque text as the serdes wrote it; `error` is the wire's error object as JSON text."""

    input: str | None
    result: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Page:
    items: tuple[ExecutionSummary, ...]
    next_cursor: str | None


def list_executions(filters: ExecutionFilters, cursor: str | None = None, limit: int = 50) -> Page:
    """Newest first. Three queries: workers, executions, their open operations. Raises InvalidInputError (cursor, limit)."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"A page holds 1 to {MAX_PAGE} executions.", field="limit", limit=MAX_PAGE, value=limit)
    served = served_version_ids()
    found = filtered(filters, served)
    if cursor:
        at, last = _read_cursor(cursor)
        found = found.filter(Q(started_at__lt=at) | Q(started_at=at, id__lt=last), started_at__lte=at)
    rows = list(_with_columns(found.order_by("-started_at", "-id"), _SUMMARY)[: limit + 1])
    shown = rows[:limit]
    operations = open_operations([row["id"] for row in shown if row["status"] == "RUNNING"])
    items = tuple(_summary(row, operations, served) for row in shown)
    return Page(items, _write_cursor(items[-1]) if len(rows) > limit else None)


def count_executions(filters: ExecutionFilters, served: Collection[int] | None = None, upto: int = COUNTED) -> int:
    """How many match; `upto + 1` stands for more than `upto`."""
    found = filtered(filters, served_version_ids() if served is None else served)
    return found.order_by().values("id")[: upto + 1].count()


def get_execution(execution_id: UUID) -> ExecutionDetail:
    """Without payloads. Raises ExecutionNotFoundError."""
    served = served_version_ids()
    row = _with_columns(Execution.objects.filter(id=execution_id), _SUMMARY + _DETAIL).first()
    if row is None:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    summary = _summary(row, open_operations([execution_id] if row["ended_at"] is None else []), served)
    names = ("due_at", "invocation_started_at", "failed_invocations", "last_event_at", *_DETAIL)
    return ExecutionDetail(summary=summary, **{name: row[name] for name in names})


def get_payloads(execution_id: UUID) -> ExecutionPayloads:
    """Raises ExecutionNotFoundError."""
    row = Execution.objects.filter(id=execution_id).values("input", "result", "error").first()
    if row is None:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    return ExecutionPayloads(**row)


def get_error(execution_id: UUID) -> str | None:
    """The error object of an ended execution as JSON text, without reading input and result."""
    return Execution.objects.filter(id=execution_id).values_list("error", flat=True).first()


def find_child(execution_id: UUID, operation_id: str) -> UUID | None:
    """The execution that this chained invoke started, None when it started none (a plain function)."""
    found = Execution.objects.filter(parent_id=execution_id, parent_operation_id=operation_id)
    return found.order_by("-started_at").values_list("id", flat=True).first()


def filtered(filters: ExecutionFilters, served: Collection[int]) -> QuerySet[Execution]:
    """The executions that match, without order, columns or page."""
    found = Execution.objects.all()
    exact = {"status": filters.status, "function": filters.function, "version": filters.version, "name": filters.name}
    found = found.filter(**{column: value for column, value in exact.items() if value})
    if filters.parent_id is not None:
        found = found.filter(parent_id=filters.parent_id)
    for key, value in filters.attributes.items():
        found = found.filter(_attribute_condition(key, value))
    if filters.text:
        found = found.filter(_text_condition(filters.text))
    return found if filters.state is None else in_state(found, filters.state, served)


def open_operations(execution_ids: Sequence[UUID]) -> dict[UUID, list[OpenOperation]]:
    """The operations of these executions that have not ended, without payloads; no query for no ids."""
    grouped: dict[UUID, list[OpenOperation]] = defaultdict(list)
    if execution_ids:
        rows = Operation.objects.filter(OPEN, execution_id__in=execution_ids).order_by("start_event")
        for row in rows.values(*OpenOperation.__dataclass_fields__):
            grouped[row["execution_id"]].append(OpenOperation(**row))
    return grouped


def _attribute_condition(key: str, value: Any) -> Q:
    """Who searches for 42 means the number and the text "42" alike."""
    condition = Q(attributes__contains={key: value})
    return condition if isinstance(value, str) else condition | Q(attributes__contains={key: json.dumps(value)})


def _text_condition(text: str) -> Q:
    condition = Q(name__startswith=text)
    digits = text.lower().replace("-", "")
    if 8 <= len(digits) <= 32 and _HEX.issuperset(text.lower()):
        condition |= Q(id__range=(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
    return condition


def _with_columns(found: QuerySet[Execution], columns: Iterable[str]) -> Any:
    return found.annotate(read_at=Now()).values(*_FACTS, *columns, "read_at")


def _summary(row: Mapping[str, Any], operations: Mapping[UUID, Sequence[OpenOperation]], served: Collection[int]) -> ExecutionSummary:
    facts = ExecutionFacts(**{name: row[name] for name in _FACTS})
    engine = engine_settings()
    arn = execution_arn(engine.REGION, engine.ACCOUNT, facts.function, facts.version, row["name"], facts.id)
    state = derived_state(facts, operations.get(facts.id, ()), now=row["read_at"], served=served)
    names = set(ExecutionSummary.__dataclass_fields__) - {"arn", "state"}
    return ExecutionSummary(arn=arn, state=state, **{name: row[name] for name in names})


def _write_cursor(last: ExecutionSummary) -> str:
    return urlsafe_b64encode(f"{last.started_at.isoformat()}|{last.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        return datetime.fromisoformat(at).astimezone(UTC), UUID(last)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise InvalidInputError("This page address is not one of ours.", field="cursor", value=cursor) from error
