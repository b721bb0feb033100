"""Executions, their operations, events and lines."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import plain, plain_object
from durable_ops.texts.json_text import parse_or_text
from execution_engine.core.enums import EventType, ExecutionStatus, OperationStatus, OperationType
from execution_engine.selectors.executions import ExecutionDetail, ExecutionPayloads, ExecutionSummary
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.operations import OperationRow


class ExecutionSummaryDocument(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    arn = serializers.CharField()
    name = serializers.CharField()
    function = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField([one.value for one in ExecutionStatus])
    state = serializers.ChoiceField([one.value for one in StateCode], help_text="what it is really doing")
    state_label = serializers.CharField(help_text="the state for people, in a few words")
    state_reason = serializers.CharField(help_text="why it does not move, as a sentence")
    state_since = serializers.DateTimeField(allow_null=True)
    state_until = serializers.DateTimeField(allow_null=True, help_text="when it ends by itself; null: only somebody outside can move it")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.FloatField(help_text="seconds until the end, or until now")
    invocations = serializers.IntegerField()
    status_text = serializers.CharField(allow_blank=True)
    attributes = serializers.DictField()
    tenant_id = serializers.CharField(allow_null=True)
    started_by = serializers.CharField(allow_blank=True)


class ExecutionDocument(ExecutionSummaryDocument):
    correlation_id = serializers.CharField(allow_null=True, help_text="X-Correlation-Id of the call that started it, or its parent")
    traceparent = serializers.CharField(allow_null=True, help_text="W3C trace context of that call")
    execution_timeout = serializers.IntegerField(allow_null=True, help_text="seconds")
    retention_days = serializers.IntegerField()
    failed_invocations = serializers.IntegerField(help_text="failed ones in a row")
    last_event_at = serializers.DateTimeField()
    payloads_visible = serializers.BooleanField(help_text="false: you may not read input, result and error")
    input = serializers.JSONField(allow_null=True)
    result = serializers.JSONField(allow_null=True, help_text="the result's JSON value, or its text when it is no JSON")
    error = serializers.JSONField(allow_null=True, help_text="AWS's error object")


class NamedOperationDocument(serializers.Serializer[Any]):
    """What is said of an operation wherever one is named."""

    id = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    sub_type = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    parent_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField([one.value for one in OperationStatus])


class OperationDocument(NamedOperationDocument):
    attempt = serializers.IntegerField(help_text="finished attempts")
    callback_id = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    start_event = serializers.IntegerField()
    result_bytes = serializers.IntegerField(allow_null=True)
    error_bytes = serializers.IntegerField(allow_null=True)


class EventDocument(serializers.Serializer[Any]):
    """AWS's Event object; beside these keys one named after the type, as `StepSucceededDetails`."""

    EventType = serializers.ChoiceField([one.value for one in EventType])
    EventId = serializers.IntegerField()
    EventTimestamp = serializers.DateTimeField()
    Id = serializers.CharField(required=False)
    SubType = serializers.CharField(required=False)
    Name = serializers.CharField(required=False)
    ParentId = serializers.CharField(required=False)


class LogLineDocument(serializers.Serializer[Any]):
    """A line. With `kind` operations other keys: operation_id, name, type, status, attempts, started_at, ended_at, duration (seconds),
    result_bytes, error_bytes, start_event."""

    id = serializers.IntegerField()
    operation_id = serializers.CharField(allow_null=True, help_text="null: the handler itself")
    attempt = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField()
    level = serializers.CharField()
    logger = serializers.CharField()
    message = serializers.CharField()


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


def operation(row: OperationRow) -> dict[str, Any]:
    """One operation without its payload; `result_bytes` and `error_bytes` tell whether there is one."""
    found: dict[str, Any] = plain(row)
    del found["read_at"]
    return found
