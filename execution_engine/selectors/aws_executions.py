"""Executions as AWS's API shows them: as they are stored, without the state that is derived for people."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from execution_engine.conf import engine_settings
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.identifiers import execution_arn
from execution_engine.models import Execution, FunctionVersion
from execution_engine.sdk.registry import find_function

_COLUMNS = ("id", "function", "version", "name", "status", "started_at", "ended_at")
_DETAIL = ("deadline_at", "execution_timeout", "retention_days", "pause", "traceparent")


@dataclass(frozen=True, slots=True)
class AwsExecution:
    """One execution. `execution_timeout` is in seconds, `retention_days` in days; `pause` is AWS's object of its pause, None unless paused.

    A list fills the fields up to `ended_at`, `read_execution` all of them.
    """

    id: UUID
    arn: str
    function: str
    version: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    deadline_at: datetime | None = None
    execution_timeout: int | None = None
    retention_days: int | None = None
    pause: Mapping[str, Any] | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class StartedFilters:
    """None, or no statuses, means any. The window (`after`, `before`) excludes both its moments."""

    version: str | None = None
    name: str | None = None
    statuses: Collection[str] = ()
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended. `result` is the text as the handler's serdes wrote it, `error` AWS's error object as JSON text."""

    status: str
    version: str
    result: str | None
    error: str | None


def read_execution(execution_id: UUID) -> AwsExecution:
    """One query. Raises ExecutionNotFoundError."""
    row = Execution.objects.filter(id=execution_id).values(*_COLUMNS, *_DETAIL).first()
    if row is None:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    row["pause"] = json.loads(row["pause"]) if row["pause"] else None
    return _from_row(row)


def list_started(
    function: str, filters: StartedFilters, *, newest_first: bool, after: tuple[datetime, UUID] | None, limit: int
) -> list[AwsExecution]:
    """At most `limit` in the order of their start; `after` is the start and id that the page before ended with.

    One query. Index: execution_list_by_function.
    """
    found = Execution.objects.filter(function=function)
    for lookup, value in (
        ("version", filters.version),
        ("name", filters.name),
        ("status__in", filters.statuses),
        ("started_at__gt", filters.after),
        ("started_at__lt", filters.before),
    ):
        found = found.filter(**{lookup: value}) if value else found
    if after is not None:
        side = "lt" if newest_first else "gt"
        beyond = Q(**{f"started_at__{side}": after[0]}) | Q(started_at=after[0], **{f"id__{side}": after[1]})
        found = found.filter(beyond, **{f"started_at__{side}e": after[0]})
    order = ("-started_at", "-id") if newest_first else ("started_at", "id")
    return [_from_row(row) for row in found.order_by(*order).values(*_COLUMNS)[:limit]]


def is_function(name: str, version: str | None = None) -> bool:
    """Whether a start would find this function (at this version): registered by a worker, or in the code of this process. One query."""
    rows = FunctionVersion.objects.filter(function=name, **({"version": version} if version else {}))
    return find_function(name, version) is not None or rows.exists()


def read_outcomes(ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """By id, without executions that are still open or do not exist. One query."""
    ended = Execution.objects.filter(id__in=ids, ended_at__isnull=False).values_list("id", "status", "version", "result", "error")
    return {row[0]: Outcome(*row[1:]) for row in ended}


def _from_row(row: Mapping[str, Any]) -> AwsExecution:
    engine = engine_settings()
    arn = execution_arn(engine.REGION, engine.ACCOUNT, row["function"], row["version"], row["name"], row["id"])
    return AwsExecution(arn=arn, **row)
