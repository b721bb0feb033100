"""Plain dictionaries for answers. Times are ISO 8601 in UTC with milliseconds, durations are seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from rest_framework import serializers

from durable_ops.actions.repairs import MovePlan, RepairPlan
from durable_ops.models import Batch, BatchItem
from durable_ops.texts.json_text import parse_or_text
from execution_engine.selectors.callbacks import CallbackRow
from execution_engine.selectors.causes import Cause, Explanation
from execution_engine.selectors.executions import ExecutionDetail, ExecutionPayloads, ExecutionSummary
from execution_engine.selectors.operations import OperationRow


def execution_summary(summary: ExecutionSummary) -> dict[str, Any]:
    """One line of the list, without payloads."""
    state = summary.state
    return plain_object(
        {
            "id": summary.id,
            "arn": summary.arn,
            "name": summary.name,
            "function": summary.function,
            "version": summary.version,
            "status": summary.status,
            "state": state.code,
            "state_label": state.label,
            "state_reason": state.sentence,
            "state_since": state.since,
            "state_until": state.until,
            "started_at": summary.started_at,
            "ended_at": summary.ended_at,
            "deadline_at": summary.deadline_at,
            "duration": summary.duration,
            "invocations": summary.invocations,
            "status_text": summary.status_text,
            "attributes": summary.attributes,
            "tenant_id": summary.tenant_id,
            "started_by": summary.started_by,
        }
    )


def execution_detail(detail: ExecutionDetail, payloads: ExecutionPayloads | None) -> dict[str, Any]:
    """One execution; `payloads` None (no right to read them) leaves input, result and error null and says so."""
    shown = payloads or ExecutionPayloads(None, None, None)
    more = {
        "correlation_id": detail.correlation_id,
        "traceparent": detail.traceparent,
        "execution_timeout": detail.execution_timeout,
        "retention_days": detail.retention_days,
        "failed_invocations": detail.failed_invocations,
        "last_event_at": detail.last_event_at,
        "payloads_visible": payloads is not None,
    }
    values = {name: parse_or_text(getattr(shown, name)) for name in ("input", "result", "error")}
    return {**execution_summary(detail.summary), **plain_object(more), **values}


def explanation(found: Explanation) -> dict[str, Any]:
    """Keys: state, label, sentence, since, until, causes (a tree), parent."""
    state = found.state
    return {
        **plain_object({"state": state.code, "label": state.label, "sentence": state.sentence, "since": state.since, "until": state.until}),
        "causes": [_cause(one) for one in found.causes],
        "parent": {"id": str(found.parent[0]), "function": found.parent[1]} if found.parent else None,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    named = {"operation": cause.operation_id, "execution": cause.execution_id}
    facts = {name: getattr(cause, name) for name in ("code", "sentence", "since", "until", "callback_id")}
    return {**plain_object({**facts, **named}), "causes": [_cause(one) for one in cause.causes]}


def operation(row: OperationRow) -> dict[str, Any]:
    """One operation without its payload; `result_bytes` and `error_bytes` tell whether there is one."""
    found: dict[str, Any] = plain(row)
    del found["read_at"]
    return found


def repair_plan(plan: RepairPlan) -> dict[str, Any]:
    """What a redrive or a fork would do: operations by what happens to them, and what the loaded code says to that."""
    names = ("id", "type", "sub_type", "name", "parent_id", "status")
    groups = ("kept", "reopened", "removed", "rearmed", "effects", "waits", "children")
    shown = {group: [{name: plain(getattr(record, name)) for name in names} for record in getattr(plan, group)] for group in groups}
    return {**shown, **plan.rehearsal.to_document()}


def move_plan(plan: MovePlan) -> dict[str, Any]:
    return {"from_version": plan.from_version, "to_version": plan.to_version, **plan.rehearsal.to_document()}


def callback(row: CallbackRow) -> dict[str, Any]:
    return plain_object(
        {
            "callback_id": row.callback_id,
            "name": row.name,
            "status": "pending" if row.is_pending else row.status,
            "execution": row.execution_id,
            "execution_name": row.execution_name,
            "function": row.function,
            "version": row.version,
            "operation_id": row.operation_id,
            "sub_type": row.sub_type,
            "started_at": row.started_at,
            "due_at": row.due_at,
            "timeout_at": row.timeout_at,
            "heartbeat_seconds": row.heartbeat_seconds,
        }
    )


def batch(found: Batch, counts: Mapping[str, int], sample: Sequence[BatchItem]) -> dict[str, Any]:
    """`counts` by outcome; those without any are 0."""
    names = ("id", "status", "to_version", "reason", "actor", "total", "created_at", "confirmed_at", "ended_at")
    return {
        **plain_object({name: getattr(found, name) for name in names}),
        "action": found.act,
        "filters": found.query,
        "retry_of": found.retry_of_id,
        "counts": {outcome: counts.get(outcome, 0) for outcome in BatchItem.Outcome.values},
        "sample": [batch_item(item) for item in sample],
    }


def batch_item(item: BatchItem) -> dict[str, Any]:
    names = ("id", "outcome", "code", "message", "at")
    return plain_object({**{name: getattr(item, name) for name in names}, "execution": item.execution_id, "name": item.label})


def from_row(document: type[serializers.Serializer[Any]], row: object, **own: Any) -> dict[str, Any]:
    """A database row as `document` names it; `own` gives what is no column of that name."""
    return plain_object({name: own[name] if name in own else getattr(row, name) for name in map(str, document().fields)})


def plain_object(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """A value of the selectors as JSON types: dataclasses become objects, enums their values."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    if isinstance(value, UUID):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value]
