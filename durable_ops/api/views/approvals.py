"""Approvals over REST: by the same policy as the inbox, for the person whose key it is."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import approvals as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import number_of, page
from durable_ops.api.serializers import approvals as shapes
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers.strict import read
from durable_ops.approvals import inbox
from durable_ops.approvals.card import make_card
from durable_ops.approvals.inbox import Box
from durable_ops.models import Approval, Right
from durable_ops.permissions import access_of, has_right

_ANSWER: Any = {200: shapes.ApprovalDocument}


class ApprovalsView(RestView):
    rights: ClassVar = {"GET": None}

    @documents.reads("list_approvals", documents.page_of(shapes.ApprovalSummaryDocument), shapes.ApprovalsQuery)
    def get(self, request: Request) -> Response:
        """`box`: mine (by name or claimed), groups (put to you in any way), all (open), decided."""
        query = read(shapes.ApprovalsQuery, request.query_params.dict())
        before = number_of(request) or None
        _require_of_key(request)
        found = inbox.rows(request.user, Box(query["box"]), text=query["q"], before=before)
        shown = found[: query["limit"]]
        following = shown[-1].approval.pk if len(found) > len(shown) else None
        return page(request, [shapes.summary(row) for row in shown], following)


class ApprovalView(RestView):
    rights: ClassVar = {"GET": None}

    @documents.reads("get_approval", shapes.ApprovalDocument)
    def get(self, request: Request, pk: int) -> Response:
        """What people see, and whether you may decide; looking decides nothing."""
        return _answer(request, _visible(request, pk))


class DecideView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("decide_approval", shapes.DecideBody, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Your decision, once. 409 when it is no longer waiting, or when it changed since `seen`."""
        approval = _visible(request, pk)
        body = read(shapes.DecideBody, request.data)
        actions.decide(
            actor_of(request), approval.callback_id, approved=body["approved"], comment=body["comment"], fields=body.get("fields"),
            seen=body["seen"],
        )  # fmt: skip
        return _answer(request, approval)


class ClaimView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("claim_approval", None, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Nobody else decides until you release it."""
        approval = _visible(request, pk)
        read(requests.EmptyBody, request.data)
        actions.claim(actor_of(request), approval.callback_id)
        return _answer(request, approval)


class ReleaseView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("release_approval", None, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        approval = _visible(request, pk)
        read(requests.EmptyBody, request.data)
        actions.release(actor_of(request), approval.callback_id)
        return _answer(request, approval)


class ReassignView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("reassign_approval", shapes.ReassignBody, _ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Puts the question to these people and groups, and to nobody else."""
        approval = _visible(request, pk)
        body = read(shapes.ReassignBody, request.data)
        actions.reassign(actor_of(request), approval.callback_id, to=body["to"], groups=body["groups"], reason=body["reason"])
        return _answer(request, approval)


def _visible(request: Request, pk: int) -> Approval:
    """For what is none of this person's business, whether it is there or not: 403, or 404 for whoever sees approvals of functions."""
    _require_of_key(request)
    approval = Approval.objects.select_related("claimed_by").filter(pk=pk).first()
    if approval is not None and inbox.may_see(request.user, approval):
        return approval
    if has_right(request.user, Right.VIEW_EXECUTION):
        raise Http404
    raise PermissionDenied("This approval is not put to you.")


def _require_of_key(request: Request) -> None:
    """A key that was made for other things does not read its person's inbox."""
    access = access_of(request.user)
    if not access.may(Right.VIEW_EXECUTION):
        access.require_of_key(Right.DECIDE_CALLBACK)


def _answer(request: Request, approval: Approval) -> Response:
    approval.refresh_from_db()
    return Response(shapes.detail(make_card(approval, request.user)))
