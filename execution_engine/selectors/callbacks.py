"""Callbacks that wait for an answer, and one callback by its id."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationSubType, OperationType
from execution_engine.models import Execution, Operation
from execution_engine.selectors.explain import plain_title
from execution_engine.selectors.search import of_functions

_COLUMNS = ("execution_id", "id", "name", "sub_type", "status", "callback_id", "started_at", "ended_at", "due_at", "options")
_EXECUTION = ("function", "version", "started_by", "status_text", "attributes", "redrive_count")
_OPEN = (ExecutionStatus.RUNNING, ExecutionStatus.PAUSED, ExecutionStatus.PAUSING)


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A callback and the execution that waits for it.

    `due_at` is the nearer of its two timers, `timeout_at` its general end, `heartbeat_seconds` how often whoever holds
    it must show a sign of life; None where there is none. `execution_status` tells whether an answer still counts.
    `is_approval`: people decide it, by rules of their own. `redrive_count` is the execution's.
    """

    callback_id: str
    operation_id: str
    name: str | None
    sub_type: str | None
    status: str
    execution_id: UUID
    execution_name: str
    execution_status: str
    function: str
    version: str
    started_by: str
    status_text: str
    attributes: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    timeout_at: datetime | None
    heartbeat_seconds: int | None
    redrive_count: int
    is_approval: bool
    read_at: datetime

    @property
    def title(self) -> str:
        return plain_title(self.name) or self.operation_id[:8]

    @property
    def is_pending(self) -> bool:
        is_in_time = self.due_at is None or self.due_at > self.read_at
        return self.status == OperationStatus.STARTED and is_in_time and self.execution_status in _OPEN


def pending_callbacks(
    execution_id: UUID | None = None,
    *,
    after: tuple[datetime, UUID, str] | None = None,
    limit: int = 200,
    with_approvals: bool = True,
    functions: Collection[str] | None = None,
) -> list[CallbackRow]:
    """Callbacks that an answer would still complete, oldest first; signals are not among them. Two queries, one for none.

    `after` is start, execution and operation id of the last row that was seen; approvals, which are callbacks too, can be left out.
    `functions` are those whose callbacks are wanted, None for all.
    """
    found = Operation.objects.filter(
        Q(sub_type__isnull=True) | ~Q(sub_type=OperationSubType.SIGNAL),
        Q(due_at__isnull=True) | Q(due_at__gt=Now()),
        type=OperationType.CALLBACK,
        status=OperationStatus.STARTED,
    )
    if execution_id is None:
        found = found.filter(execution_id__in=Execution.objects.filter(of_functions(functions), status__in=_OPEN).values("id"))
    else:
        found = found.filter(execution_id=execution_id)
        if functions is not None:
            found = found.filter(execution_id__in=Execution.objects.filter(of_functions(functions)).values("id"))
    if not with_approvals:
        found = found.exclude(options__contains='"approval"')
    if after is not None:
        at, execution, operation = after
        same_time = Q(started_at=at) & (Q(execution_id__gt=execution) | Q(execution_id=execution, id__gt=operation))
        found = found.filter(Q(started_at__gt=at) | same_time, started_at__gte=at)
    rows = list(found.order_by("started_at", "execution_id", "id").annotate(read_at=Now()).values(*_COLUMNS, "read_at")[:limit])
    return [row for row in _with_executions(rows) if row.is_pending]


def find_callback(callback_id: str) -> CallbackRow | None:
    """A callback in any state; None when there never was one, or when its execution was purged."""
    return callback_states([callback_id]).get(callback_id)


def callback_states(callback_ids: Sequence[str]) -> dict[str, CallbackRow]:
    """Callbacks in any state, by id, without those that are gone. Two queries, one when there is none."""
    found = Operation.objects.filter(callback_id__in=callback_ids, type=OperationType.CALLBACK)
    rows = _with_executions(list(found.annotate(read_at=Now()).values(*_COLUMNS, "read_at")))
    return {row.callback_id: row for row in rows}


def _with_executions(rows: list[Mapping[str, Any]]) -> list[CallbackRow]:
    if not rows:
        return []
    found = Execution.objects.filter(id__in={row["execution_id"] for row in rows})
    executions = {row["id"]: row for row in found.values("id", "name", "status", *_EXECUTION)}
    return [_row(row, executions[row["execution_id"]]) for row in rows if row["execution_id"] in executions]


def _row(row: Mapping[str, Any], execution: Mapping[str, Any]) -> CallbackRow:
    options = json.loads(row["options"]) if row["options"] else {}
    timeout = options.get("timeout")
    return CallbackRow(
        operation_id=row["id"],
        execution_name=execution["name"],
        execution_status=execution["status"],
        timeout_at=row["started_at"] + timedelta(seconds=timeout) if timeout else None,
        heartbeat_seconds=options.get("heartbeat") or None,
        is_approval=bool(options.get("approval")),
        **{name: execution[name] for name in _EXECUTION},
        **{name: row[name] for name in (*_COLUMNS, "read_at") if name not in ("id", "options")},
    )
