"""Stored texts as they are: to read without decoration, and to download."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

from durable_ops.dashboard.access import console_view, masks_for
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.selectors.masking import NO_MASKS, Masks
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.selectors.executions import get_payloads
from execution_engine.selectors.functions import function_of
from execution_engine.selectors.history import list_events
from execution_engine.selectors.operations import get_operation

EVENTS = 200
KEYS = frozenset({"input", "result", "error"})
OPERATION_KEYS = frozenset({"payload", "error", "options"})


@console_view(Right.VIEW_PAYLOAD)
def execution_payload(request: HttpRequest, execution_id: UUID, key: str) -> HttpResponse:
    try:
        text = _masks(request, execution_id).text(getattr(get_payloads(execution_id), key)) if key in KEYS else None
    except ExecutionNotFoundError as error:
        raise Http404(error.message) from error
    return _plain(request, text, f"{execution_id}-{key}")


@console_view(Right.VIEW_PAYLOAD)
def operation_payload(request: HttpRequest, execution_id: UUID, operation_id: str, key: str) -> HttpResponse:
    found = get_operation(execution_id, operation_id) if key in OPERATION_KEYS else None
    text = getattr(_masks(request, execution_id).operation(found), key) if found else None
    return _plain(request, text, f"{execution_id}-{operation_id[:8]}-{key}")


@console_view(Right.VIEW_PAYLOAD)
def history(request: HttpRequest, execution_id: UUID) -> StreamingHttpResponse:
    """All events in the wire's form, as one JSON list."""
    first = list_events(execution_id, limit=EVENTS)
    if not first:
        raise Http404("There is no such execution.")
    masks = _masks(request, execution_id)
    response = StreamingHttpResponse(_array(execution_id, first, masks), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{execution_id}-history.json"'
    return response


@console_view(Right.VIEW_PAYLOAD)
def event(request: HttpRequest, execution_id: UUID, event_id: int) -> HttpResponse:
    found = list_events(execution_id, after=event_id - 1, limit=1)
    if not found or found[0]["EventId"] != event_id:
        raise Http404("There is no such event.")
    return _json(_masks(request, execution_id).event(found[0]))


def _array(execution_id: UUID, page: list[Any], masks: Masks) -> Iterator[str]:
    """Sends page by page, because a history may be larger than the server's memory."""
    opening = "["
    while page:
        for one in page:
            yield opening + json.dumps(masks.event(one), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
            opening = ",\n"
        page = list_events(execution_id, after=page[-1]["EventId"], limit=EVENTS)
    yield "]\n"


def _json(value: Any) -> JsonResponse:
    return JsonResponse(value, safe=False, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 2, "ensure_ascii": False})


def _masks(request: HttpRequest, execution_id: UUID) -> Masks:
    """No query for whoever sees everything."""
    if access_of(request.user).has_all(Right.VIEW_MASKED):
        return NO_MASKS
    return masks_for(request, function_of(execution_id) or "", execution_id)


def _plain(request: HttpRequest, text: str | None, name: str) -> HttpResponse:
    """Always as plain text, never as markup; nosniff keeps browsers from guessing another type."""
    if text is None:
        raise Http404("There is no such payload.")
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
