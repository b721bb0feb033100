"""The shapes of the answers, for the OpenAPI document; a test compares them with what is really sent."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from durable_ops.models import Batch, BatchItem
from execution_engine.core.enums import EventType, ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.trace import MAX_CORRELATION_ID
from execution_engine.invocation.rehearsal.findings import Change, Verdict
from execution_engine.selectors.causes import CauseCode
from execution_engine.selectors.explain import StateCode

View = TypeVar("View", bound=Callable[..., Any])


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


class OperationDocument(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    sub_type = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    parent_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField([one.value for one in OperationStatus])
    attempt = serializers.IntegerField(help_text="finished attempts")
    callback_id = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    start_event = serializers.IntegerField()
    result_bytes = serializers.IntegerField(allow_null=True)
    error_bytes = serializers.IntegerField(allow_null=True)


class PlannedOperationDocument(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    sub_type = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    parent_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField([one.value for one in OperationStatus])


class PlaceDocument(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    sub_type = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    number = serializers.IntegerField(allow_null=True, help_text="its place in its context, from 1; branches of a batch from 0")
    context = serializers.CharField(allow_null=True, help_text="name of the context that it stands in; null: the function itself")  # type: ignore[assignment]
    target = serializers.CharField(allow_null=True, help_text="the function that a chained invoke names")


class DivergenceDocument(serializers.Serializer[Any]):
    change = serializers.ChoiceField([one.value for one in Change])
    recorded = PlaceDocument(allow_null=True, help_text="what the history has")
    asked = PlaceDocument(allow_null=True, help_text="what the code asks for now")
    where = serializers.CharField(allow_blank=True, help_text="module:line in function")
    text = serializers.CharField(help_text="for people")


class RehearsalDocument(serializers.Serializer[Any]):
    """The loaded code, run over the history without effects."""

    verdict = serializers.ChoiceField([one.value for one in Verdict])
    summary = serializers.CharField(help_text="for people")
    diverging = DivergenceDocument(many=True)
    next = PlaceDocument(many=True, help_text="new operations that the code asks for first")
    result_differs = serializers.BooleanField(help_text="of an execution that succeeded: the code would answer something else now")


class MovePlanDocument(RehearsalDocument):
    from_version = serializers.CharField()
    to_version = serializers.CharField()


class RepairPlanDocument(RehearsalDocument):
    kept = PlannedOperationDocument(many=True, help_text="answered from the history")
    reopened = PlannedOperationDocument(many=True, help_text="run again")
    removed = PlannedOperationDocument(many=True, help_text="forgotten, and run again if the function comes by")
    rearmed = PlannedOperationDocument(many=True, help_text="open callbacks whose time begins anew")
    effects = PlannedOperationDocument(many=True, help_text="steps that were run and will be again")
    waits = PlannedOperationDocument(many=True, help_text="waits and callbacks that begin anew")
    children = PlannedOperationDocument(many=True, help_text="chained invokes whose child is redriven, or started anew")


class EventDocument(serializers.Serializer[Any]):
    """AWS's Event object; beside these keys one named after the type, as `StepSucceededDetails`."""

    EventType = serializers.ChoiceField([one.value for one in EventType])
    EventId = serializers.IntegerField()
    EventTimestamp = serializers.DateTimeField()
    Id = serializers.CharField(required=False)
    SubType = serializers.CharField(required=False)
    Name = serializers.CharField(required=False)
    ParentId = serializers.CharField(required=False)


class CallbackDocument(serializers.Serializer[Any]):
    callback_id = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    execution = serializers.UUIDField()
    execution_name = serializers.CharField()
    function = serializers.CharField()
    version = serializers.CharField()
    operation_id = serializers.CharField()
    sub_type = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    timeout_at = serializers.DateTimeField(allow_null=True)
    heartbeat_seconds = serializers.IntegerField(allow_null=True)


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


class CauseDocument(serializers.Serializer[Any]):
    code = serializers.ChoiceField([one.value for one in CauseCode])
    sentence = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="when it ends by itself")
    callback_id = serializers.CharField(allow_null=True)
    operation = serializers.CharField(allow_null=True, help_text="id of the operation of this execution")
    execution = serializers.UUIDField(allow_null=True, help_text="the child that is waited for")
    causes = serializers.ListField(child=serializers.DictField(), help_text="what is behind it, of the same shape")


class WaitingParentDocument(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    function = serializers.CharField()


class ExplanationDocument(serializers.Serializer[Any]):
    state = serializers.ChoiceField([one.value for one in StateCode])
    label = serializers.CharField()  # type: ignore[assignment]
    sentence = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    causes = CauseDocument(many=True)
    parent = WaitingParentDocument(allow_null=True, help_text="the execution that waits for this one")


class BatchItemDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    execution = serializers.UUIDField()
    name = serializers.CharField()
    outcome = serializers.ChoiceField(BatchItem.Outcome.values)
    code = serializers.CharField(allow_blank=True, help_text="why it failed, for programs")
    message = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)


class BatchDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    action = serializers.ChoiceField(Batch.Act.values)
    status = serializers.ChoiceField(Batch.Status.values)
    reason = serializers.CharField(allow_blank=True)
    to_version = serializers.CharField(allow_blank=True, help_text="where a move leads")
    filters = serializers.CharField(allow_blank=True, help_text="the search that chose the set; empty: ids")
    actor = serializers.CharField()
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="by outcome")
    sample = BatchItemDocument(many=True, help_text="the first ten")
    retry_of = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class AcceptedDocument(serializers.Serializer[Any]):
    callback_id = serializers.CharField()
    status = serializers.CharField()


class VersionDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    function = serializers.CharField()
    version = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    execution_timeout = serializers.IntegerField(allow_null=True)
    retention_days = serializers.IntegerField(allow_null=True)
    fingerprint = serializers.CharField(allow_blank=True)
    registered_at = serializers.DateTimeField()
    in_flight = serializers.IntegerField()
    waiting = serializers.IntegerField()
    workers = serializers.IntegerField()


class FunctionDocument(serializers.Serializer[Any]):
    name = serializers.CharField()
    versions = VersionDocument(many=True)


class StatsDocument(serializers.Serializer[Any]):
    """Of the newest 500 executions of the function, those of this version."""

    started = serializers.IntegerField()
    last_started_at = serializers.DateTimeField(allow_null=True)
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    p50 = serializers.FloatField(allow_null=True, help_text="seconds from start to end")
    p95 = serializers.FloatField(allow_null=True)
    success_rate = serializers.FloatField(allow_null=True, help_text="from 0 to 1")


class VersionDetailDocument(VersionDocument):
    stats = StatsDocument()


class FunctionDetailDocument(serializers.Serializer[Any]):
    name = serializers.CharField()
    versions = VersionDetailDocument(many=True, help_text="the latest registered first")
    input_schema = serializers.JSONField(allow_null=True, help_text="JSON schema of the newest version's input type")


class ProblemDocument(serializers.Serializer[Any]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="stable, for programs")
    detail = serializers.CharField(help_text="for people")
    errors = serializers.DictField(required=False, help_text="by field")  # type: ignore[assignment]


PROBLEM = "application/problem+json"
READ_REFUSALS = {(code, PROBLEM): ProblemDocument for code in (400, 401, 403, 404, 406, 409, 429, 503)}
REFUSALS = READ_REFUSALS | {(code, PROBLEM): ProblemDocument for code in (408, 411, 412, 413, 415, 422)}


def _header(name: str, text: str, pattern: str | None = None) -> OpenApiParameter:
    schema = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=text)


TRACE_HEADERS = [
    _header("X-Correlation-Id", "kept with what the call starts, and searchable", rf"^[!-~]{{1,{MAX_CORRELATION_ID}}}$"),
    _header("traceparent", "W3C trace context; kept as well, ignored when malformed"),
]
COMMAND_HEADERS = [
    _header("Idempotency-Key", "the same key and body within 24 hours: the same answer, nothing is done twice", r"^[!-~]{1,255}$"),
    *TRACE_HEADERS,
]
IF_MATCH = _header("If-Match", "the ETag of the GET: 412 when somebody changed it since")
IF_NONE_MATCH = _header("If-None-Match", "the ETag of an answer: 304 while it is still true")


def page_of(document: type[serializers.Serializer[Any]]) -> Any:
    name = document.__name__.replace("Document", "Page")
    return inline_serializer(name, {"results": document(many=True), "next": serializers.URLField(allow_null=True)})


def reads(operation_id: str, answer: Any, query: type[serializers.Serializer[Any]] | None = None) -> Callable[[View], View]:
    """Describes a GET of a JSON document, which has an ETag."""
    parameters: list[Any] = [*([query] if query else []), IF_NONE_MATCH, *TRACE_HEADERS]
    return extend_schema(operation_id=operation_id, parameters=parameters, responses={200: answer, 304: None, **READ_REFUSALS})


def streams(operation_id: str, query: type[serializers.Serializer[Any]], media: Iterable[str]) -> Callable[[View], View]:
    """Describes a GET of a file."""
    answers: dict[Any, Any] = {(200, one): OpenApiTypes.STR for one in media}
    return extend_schema(operation_id=operation_id, parameters=[query, *TRACE_HEADERS], responses={**answers, **READ_REFUSALS})


def commands(operation_id: str, body: Any, answers: dict[int, Any]) -> Callable[[View], View]:
    """Describes a call that changes something."""
    return extend_schema(operation_id=operation_id, request=body, parameters=COMMAND_HEADERS, responses={**answers, **REFUSALS})


def changes(operation_id: str, body: Any, answers: dict[int, Any]) -> Callable[[View], View]:
    """Describes a call that may be bound to what the caller has read."""
    return extend_schema(
        operation_id=operation_id, request=body, parameters=[IF_MATCH, *COMMAND_HEADERS], responses={**answers, **REFUSALS}
    )
