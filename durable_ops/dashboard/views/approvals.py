"""The inbox: what waits for whom, and the page of one approval, with the same card as behind a mailed link."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from durable_ops.actions import approvals as actions
from durable_ops.approvals import inbox
from durable_ops.approvals.card import fields_from_post, make_card
from durable_ops.approvals.errors import ApprovalChangedError, ApprovalRefusedError
from durable_ops.approvals.evidence import evidence_for
from durable_ops.approvals.inbox import Box
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.htmx import is_unchanged, render_page, token, unchanged, wants_fragment
from durable_ops.models import Approval, Right
from durable_ops.permissions import access_of, has_right
from execution_engine.core.errors import CommandError, InvalidInputError
from execution_engine.core.identifiers import read_number
from execution_engine.selectors.callbacks import CallbackRow, pending_callbacks

BOXES = {Box.GROUPS: "For me and my groups", Box.MINE: "By name", Box.ALL: "All open", Box.DECIDED: "Decided"}


@console_view(None)
@require_safe
def approval_list(request: HttpRequest) -> HttpResponse:
    """Everybody who signed in has an inbox; what is in it is theirs, or all with the right to see executions."""
    listing, current = _listing(request, request.GET)
    if is_unchanged(request, current):
        return unchanged()
    return render_page(request, "approvals/list.html", listing, fragment="cards")


def _listing(request: HttpRequest, given: QueryDict) -> tuple[dict[str, Any], str]:
    """What the list shows of what is asked for with `box`, `q` and `after`, and the token of that state."""
    box = Box(given.get("box", "")) if given.get("box") in set(Box) else Box.GROUPS
    text, after = given.get("q", "").replace("\x00", "").strip()[:100], given.get("after", "")
    found = inbox.rows(request.user, box, text=text, before=read_number(after))
    callbacks = _plain_callbacks(request) if box in (Box.GROUPS, Box.ALL) and not text and not after else []
    current = token(box, [_state(row) for row in found], [row.callback_id for row in callbacks])
    shown = found[: inbox.PAGE]
    listing = {
        "rows": shown,
        "callbacks": callbacks,
        "box": box,
        "boxes": BOXES,
        "text": text,
        "after": after,
        "next_after": shown[-1].approval.pk if len(found) > inbox.PAGE else None,
        "live_url": f"{reverse('dashboard:approvals')}?{urlencode({'box': box, 'q': text, 'after': after, 'seen': current})}",
    }
    return listing, current


def _plain_callbacks(request: HttpRequest) -> list[CallbackRow]:
    """What programs left to whoever may approve; two queries."""
    access = access_of(request.user)
    if not (access.may(Right.DECIDE_CALLBACK) and access.may(Right.VIEW_EXECUTION)):
        return []
    found = pending_callbacks(limit=inbox.PAGE, functions=access.functions_for(Right.VIEW_EXECUTION))
    return [row for row in found if not row.is_approval and access.may(Right.DECIDE_CALLBACK, row.function)]


def _state(row: inbox.Row) -> tuple[Any, ...]:
    one = row.approval
    return one.pk, one.claimed_by_id, one.outcome, one.reminders, len(row.decisions), row.ends_at


@console_view(None)
@require_safe
def approval_page(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk))


@console_view(None)
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`decision` is approve or reject, `seen` the digest of what the page showed."""
    approval = _visible(request, pk)
    answer = request.POST.get("decision")
    if answer not in ("approve", "reject"):
        return _page(request, approval, status=400, notice="Choose to approve or to reject.")
    approved = answer == "approve"
    fields = fields_from_post(approval.form, request.POST.dict()) if approved else {}
    try:
        actions.decide(
            actor_of(request), approval.callback_id, approved=approved, comment=request.POST.get("comment", "").strip(), fields=fields,
            seen=request.POST.get("seen", ""),
        )  # fmt: skip
    except ApprovalChangedError as error:
        return _page(request, approval, status=409, changes=error.changes)
    except CommandError as error:
        return _page(request, approval, status=error.status, notice=_sentence(error), wrong_field=error.facts.get("field"))
    done = f"{'Approved' if approved else 'Rejected'}: {approval.title}"
    if wants_fragment(request):  # the list as it is now, into the page that a person is reading: it stays where it was scrolled to
        return render_page(request, "approvals/list.html", {**_listing(request, request.POST)[0], "done": done}, fragment="cards")
    messages.success(request, done)
    return HttpResponseRedirect(reverse("dashboard:approvals"))


@console_view(None)
@require_POST
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.claim)


@console_view(None)
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.release)


@console_view(None)
@require_POST
def reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """`to` holds user names, separated by commas or blanks, `groups` names of groups, separated by commas."""
    approval = _visible(request, pk)
    names = request.POST.get("to", "").replace(",", " ").split()
    groups = [name for text in request.POST.get("groups", "").split(",") if (name := text.strip())]
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _page(request, approval, status=400, not_reassigned="Say why somebody else is to decide.")
    try:
        actions.reassign(actor_of(request), approval.callback_id, to=names, groups=groups, reason=reason)
    except CommandError as error:
        may_still = {"not_reassigned": error.message} if isinstance(error, InvalidInputError) else {"notice": _sentence(error)}
        return _page(request, approval, status=error.status, **may_still)
    messages.success(request, f"Put to {', '.join([*names, *groups])}, and to nobody else.")
    return HttpResponseRedirect(reverse("dashboard:approvals"))


def _change(request: HttpRequest, pk: int, action: Any) -> HttpResponse:
    approval = _visible(request, pk)
    try:
        action(actor_of(request), approval.callback_id)
    except CommandError as error:
        return _page(request, approval, status=error.status, notice=_sentence(error))
    return HttpResponseRedirect(reverse("dashboard:approval", args=[pk]))


def _visible(request: HttpRequest, pk: int) -> Approval:
    """For what is none of this person's business, whether it is there or not: 403, or 404 for whoever sees approvals of functions."""
    approval = Approval.objects.select_related("claimed_by").filter(pk=pk).first()
    if approval is not None and inbox.may_see(request.user, approval):
        return approval
    if has_right(request.user, Right.VIEW_EXECUTION):
        raise Http404("There is no such approval.")
    raise PermissionDenied("This approval is not put to you.")


def _page(request: HttpRequest, approval: Approval, *, status: int = 200, **notice: Any) -> HttpResponse:
    approval.refresh_from_db()
    context = {"card": make_card(approval, request.user, request.POST.dict()), **notice}
    if not wants_fragment(request):
        context["evidence"] = evidence_for(request.user, context["card"])
        return render(request, "approvals/detail.html", context, status=status)
    # From a card of the inbox: in its place, with the reason beside what was typed. 200, as no other answer is shown.
    answer = render(request, "approvals/_refused.html", context)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#approval-{approval.pk}", "outerHTML"
    return answer


def _sentence(error: CommandError) -> str:
    if isinstance(error, ApprovalRefusedError) and "decided_by" in error.facts:
        verb = "approved" if error.facts.get("approved") else "rejected"
        return f"{error.message} {error.facts['decided_by']} {verb} it."
    if isinstance(error, ApprovalRefusedError) and "claimed_by" in error.facts:
        return f"Claimed by {error.facts['claimed_by']}: nobody else decides until it is given back."
    return error.message
