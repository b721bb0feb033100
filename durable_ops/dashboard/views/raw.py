"""Stored texts as they are: for reading without decoration, and to download."""

from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from durable_ops.dashboard.access import console_view
from durable_ops.models import Right
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.selectors.executions import get_payloads
from execution_engine.selectors.history import list_events
from execution_engine.selectors.operations import get_operation

KEYS = frozenset({"input", "result", "error"})
OPERATION_KEYS = frozenset({"payload", "error", "options"})


@console_view(Right.VIEW_PAYLOAD)
def execution_payload(request: HttpRequest, execution_id: UUID, key: str) -> HttpResponse:
    try:
        text = getattr(get_payloads(execution_id), key) if key in KEYS else None
    except ExecutionNotFoundError as error:
        raise Http404(error.message) from error
    return _plain(request, text, f"{execution_id}-{key}")


@console_view(Right.VIEW_PAYLOAD)
def operation_payload(request: HttpRequest, execution_id: UUID, operation_id: str, key: str) -> HttpResponse:
    found = get_operation(execution_id, operation_id) if key in OPERATION_KEYS else None
    return _plain(request, getattr(found, key) if found else None, f"{execution_id}-{operation_id[:8]}-{key}")


@console_view(Right.VIEW_PAYLOAD)
def history(request: HttpRequest, execution_id: UUID) -> HttpResponse:  # noqa: ARG001  every view takes it
    """All events in the wire's shape as one JSON list."""
    events = list_events(execution_id, limit=1_000_000)
    if not events:
        raise Http404("There is no such execution.")
    response = JsonResponse(events, safe=False, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{execution_id}-history.json"'
    return response


@console_view(Right.VIEW_PAYLOAD)
def event(request: HttpRequest, execution_id: UUID, event_id: int) -> HttpResponse:  # noqa: ARG001  every view takes it
    found = list_events(execution_id, after=event_id - 1, limit=1)
    if not found or found[0]["EventId"] != event_id:
        raise Http404("There is no such event.")
    return JsonResponse(found[0], encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2, "ensure_ascii": False})


def _plain(request: HttpRequest, text: str | None, name: str) -> HttpResponse:
    """Never as markup: plain text, and the browser may not guess otherwise (nosniff is set for all answers)."""
    if text is None:
        raise Http404("There is no such payload.")
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
