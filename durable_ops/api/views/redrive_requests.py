"""Edited redrives that wait for a second person."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import redrive_requests as actions
from durable_ops.actions.repairs import Replacement
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import newest
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers import redrive_requests as shapes
from durable_ops.api.serializers.strict import read
from durable_ops.api.views.executions import parse_id
from durable_ops.models import RedriveRequest, Right
from durable_ops.permissions import access_of
from durable_ops.selectors.masking import masking_of
from durable_ops.texts import json_text

_ANSWER: Any = {200: shapes.RedriveRequestDocument}


class AskView(RestView):
    rights: ClassVar = {"POST": Right.REPLACE_VALUE}

    @documents.commands("ask_redrive", shapes.AskBody, {201: shapes.RedriveRequestDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """For functions whose edited redrives need a second person, who confirms within 24 hours."""
        body = read(shapes.AskBody, request.data)
        given = {name: Replacement(json_text.compact(body[name])) if name in body else None for name in ("result", "input")}
        wish = actions.Wish(body["reason"], body["from_operation"], given["result"], given["input"])
        made = actions.ask(actor_of(request), parse_id(execution_id), wish)
        return Response(_document(request, _find(request, made.pk)), status=201)


class RedriveRequestsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_redrive_requests", documents.page_of(shapes.RedriveRequestDocument), requests.PageQuery)
    def get(self, request: Request) -> Response:
        """Your own, and those that you may confirm, newest first."""
        limit = read(requests.PageQuery, request.query_params.dict())["limit"]
        found = actions.visible_requests(access_of(request.user), request.user)
        return newest(request, found, limit, lambda row: _document(request, row))


class RedriveRequestView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_redrive_request", shapes.RedriveRequestDocument)
    def get(self, request: Request, pk: int) -> Response:
        return Response(_document(request, _find(request, pk)))


class ConfirmRequestView(RestView):
    rights: ClassVar = {"POST": Right.CONFIRM_REDRIVE}

    @documents.commands("confirm_redrive_request", shapes.ConfirmBody, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Redrives with exactly what `shown` names; not for whoever asked."""
        body = read(shapes.ConfirmBody, request.data)
        actions.confirm(actor_of(request), pk, shown=body["shown"], comment=body["comment"])
        return Response(_document(request, _find(request, pk)))


class RejectRequestView(RestView):
    rights: ClassVar = {"POST": Right.CONFIRM_REDRIVE}

    @documents.commands("reject_redrive_request", shapes.RejectBody, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Nothing is done to the execution."""
        actions.reject(actor_of(request), pk, comment=read(shapes.RejectBody, request.data)["comment"])
        return Response(_document(request, _find(request, pk)))


class WithdrawRequestView(RestView):
    rights: ClassVar = {"POST": Right.REPLACE_VALUE}

    @documents.commands("withdraw_redrive_request", None, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """By whoever asked."""
        read(requests.EmptyBody, request.data)
        actions.withdraw(actor_of(request), pk)
        return Response(_document(request, _find(request, pk)))


def _find(request: Request, pk: int) -> RedriveRequest:
    return actions.visible_request(access_of(request.user), request.user, pk)


def _document(request: Request, found: RedriveRequest) -> dict[str, Any]:
    access = access_of(request.user)
    masks = masking_of(access).of_execution(found.function, found.execution_id)
    return shapes.redrive_request(found, masks, may_read=access.may(Right.VIEW_PAYLOAD, found.function))
