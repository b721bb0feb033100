"""Callbacks: which ones wait, and what programs answer."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import callbacks as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import cursor_of, page
from durable_ops.api.serializers import callbacks as shapes
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.texts import json_text
from execution_engine.core.records import ErrorObject
from execution_engine.selectors.callbacks import CallbackRow, pending_callbacks


class CallbacksView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_callbacks", documents.page_of(shapes.CallbackDocument), requests.CallbacksQuery)
    def get(self, request: Request) -> Response:
        """Callbacks that still wait for an answer, oldest first."""
        query = read(requests.CallbacksQuery, request.query_params.dict())
        limit = query["limit"]
        functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
        found = pending_callbacks(query.get("execution"), after=_read_cursor(cursor_of(request)), limit=limit + 1, functions=functions)
        shown = found[:limit]
        return page(request, [shapes.callback(one) for one in shown], _write_cursor(shown[-1]) if len(found) > limit else None)


class SucceedView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("succeed_callback", requests.SucceedBody, {200: shapes.AcceptedDocument})
    def post(self, request: Request, callback_id: str) -> Response:
        """The waiting code gets the result's JSON text as it was sent; no `result` or null: none. An approval takes a decision."""
        read(requests.SucceedBody, request.data)
        actions.succeed(actor_of(request), callback_id, result_text(request.data))
        return accepted(callback_id)


class FailView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("fail_callback", requests.FailBody, {200: shapes.AcceptedDocument})
    def post(self, request: Request, callback_id: str) -> Response:
        """The waiting code gets the error raised; an approval is rejected."""
        body = read(requests.FailBody, request.data)
        actions.fail(actor_of(request), callback_id, body["error"] or ErrorObject())
        return accepted(callback_id)


class HeartbeatView(RestView):
    rights: ClassVar = {"POST": Right.ANSWER_CALLBACK}

    @documents.commands("heartbeat_callback", None, {200: shapes.AcceptedDocument})
    def post(self, request: Request, callback_id: str) -> Response:
        """Starts the heartbeat time-out anew."""
        read(requests.EmptyBody, request.data)
        actions.heartbeat(actor_of(request), callback_id)
        return accepted(callback_id)


def result_text(body: Any) -> str | None:
    """The payload of a success, byte for byte as it was sent, blanks included.

    None for an absent or null `result`. A string that is itself a JSON object, array or string is taken as the payload
    text, for callers that serialise their result before they put it into the body.
    """
    value = body.get("result")
    if value is None:
        return None
    if isinstance(value, str) and value.lstrip(" \t\r\n")[:1] in ("{", "[", '"') and json_text.is_json(value):
        return value
    return json_text.members(body.text)["result"]


def _write_cursor(last: CallbackRow) -> str:
    return f"{last.started_at.isoformat()}|{last.execution_id}|{last.operation_id}"


def _read_cursor(cursor: str) -> tuple[datetime, UUID, str] | None:
    if not cursor:
        return None
    at, execution_id, operation_id = cursor.split("|")
    return datetime.fromisoformat(at), UUID(execution_id), operation_id


def accepted(callback_id: str) -> Response:
    return Response({"callback_id": callback_id, "status": "accepted"})
