"""How calls are described in the OpenAPI document. The shapes of answers stand beside what makes them; a test compares the two."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from execution_engine.core.trace import MAX_CORRELATION_ID

View = TypeVar("View", bound=Callable[..., Any])


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
