"""The page behind a mailed link. GET shows and changes nothing; only a person's POST of this very page decides.

The link itself is the right to look and to decide as its person, so no sign-in is asked, unless the approval wants one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from durable_ops.actions import approvals as actions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.approvals import links
from durable_ops.approvals.card import Card, fields_from_post, make_card
from durable_ops.approvals.errors import ApprovalChangedError, ApprovalRefusedError
from durable_ops.approvals.links import FoundLink, LinkState
from durable_ops.doors.callers import address_of, count_in_minute, place_of
from durable_ops.models import Approval, ApprovalLink
from execution_engine.core.errors import CallbackCompletedError, CommandError

MISSES_PER_MINUTE = 30
"""Unknown links from one address before it has to wait; a person mistypes none."""


# Without a referrer a browser posts "Origin: null", which Django's CSRF check refuses. The address is a secret that no other
# site knows, and the form's own signed value is asked for: nobody can make a browser post this page from elsewhere.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def mailed_approval(request: HttpRequest, token: str) -> HttpResponse:
    """200 the card; 403 forwarded or not allowed; 404 unknown; 409 contrary or changed; 410 used, late or no longer needed; 429."""
    if request.method == "OPTIONS":
        return _private(HttpResponse(headers={"Allow": "GET, HEAD, POST"}))
    found = links.find(token)
    if found.link is None:
        return _miss(request)
    if _is_forwarded(request, found.link):
        return _outcome(request, 403, "This link belongs to somebody else", link=found.link)
    return _private(_post(request, found) if request.method == "POST" else _show(request, found))


def _show(request: HttpRequest, found: FoundLink, *, status: int = 200, **notice: Any) -> HttpResponse:
    link = found.link
    assert link is not None
    card = make_card(link.approval, link.user, request.POST.dict())
    if (over := _why_over(card, found)) is not None:
        return _outcome(request, over[0], over[1], link=link, card=card)
    ApprovalLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=Now())
    needs_sign_in = _needs_sign_in(request, link)
    context = {"card": card, "link": link, "value": links.page_value(link, card.digest), "needs_sign_in": needs_sign_in, **notice}
    return render(request, "approvals/mailed.html", context, status=status)


def _post(request: HttpRequest, found: FoundLink) -> HttpResponse:
    link = found.link
    assert link is not None
    answer = request.POST.get("decision")
    if found.state is not LinkState.GOOD:
        return _over(request, found, contrary=answer)
    seen = links.read_page_value(link, request.POST.get("value", ""))
    if seen is None or answer not in ("approve", "reject"):
        return _show(request, found, status=403, notice="This page was open too long. Please look again and decide.")
    if _needs_sign_in(request, link):
        return _show(request, found, status=403, notice="This decision asks you to sign in first.")
    return _decide(request, found, link, approved=answer == "approve", seen=seen)


def _decide(request: HttpRequest, found: FoundLink, link: ApprovalLink, *, approved: bool, seen: str) -> HttpResponse:
    actor = Actor(link.user, channel=Channel.MAIL, address=address_of(request.META))
    fields = fields_from_post(link.approval.form, request.POST.dict())
    try:
        actions.decide(
            actor, link.approval.callback_id, approved=approved, comment=request.POST.get("comment", "").strip(),
            fields=fields if approved else {}, seen=seen,
        )  # fmt: skip
    except ApprovalChangedError as error:
        return _show(request, found, status=409, changes=error.changes)
    except (ApprovalRefusedError, CallbackCompletedError):
        link.approval.refresh_from_db()
        return _over(request, found, contrary="approve" if approved else "reject")
    except CommandError as error:
        return _show(request, found, status=400, notice=error.message, wrong_field=error.facts.get("field"))
    ApprovalLink.objects.filter(pk=link.pk).update(used_at=Now())
    link.approval.refresh_from_db()
    title = "Approved" if approved else "Rejected"
    return _outcome(request, 200, title, link=link, card=make_card(link.approval, link.user), is_done=True)


def _over(request: HttpRequest, found: FoundLink, *, contrary: str | None) -> HttpResponse:
    """A decision that came too late or may not be: 409 when it differs from what was decided, else what a look would answer."""
    link = found.link
    assert link is not None
    card = make_card(link.approval, link.user, request.POST.dict())
    decided = {Approval.Outcome.APPROVED: "approve", Approval.Outcome.REJECTED: "reject"}.get(card.approval.outcome)  # type: ignore[call-overload]
    if decided is not None and contrary != decided:
        return _outcome(request, 409, f"Already {card.approval.outcome}", link=link, card=card)
    status, title = _why_over(card, found) or (403, "You may not decide this")
    return _outcome(request, status, title, link=link, card=card)


def _why_over(card: Card, found: FoundLink) -> tuple[int, str] | None:
    if card.approval.outcome in (Approval.Outcome.APPROVED, Approval.Outcome.REJECTED):
        return 410, f"Already {card.approval.outcome}"
    if card.approval.outcome == Approval.Outcome.EXPIRED:
        return 410, "Too late"
    if not card.is_waiting:
        return 410, "No longer needed"
    if found.state is LinkState.REDRIVEN:
        return 410, "A newer mail asks for this"
    if found.state is LinkState.USED:
        return 410, "You have decided already"
    if found.state is LinkState.EXPIRED:
        return 410, "This link is too old"
    return None if card.may_decide else (403, "You may not decide this")


def _needs_sign_in(request: HttpRequest, link: ApprovalLink) -> bool:
    approval = link.approval
    limit = settings.APPROVAL_SIGN_IN_ABOVE
    is_large = bool(limit) and approval.amount is not None and approval.amount > Decimal(limit)
    is_signed_in = request.user.is_authenticated and request.user.pk == link.user_id
    return (is_large or not approval.allow_link_decision) and not is_signed_in


def _is_forwarded(request: HttpRequest, link: ApprovalLink) -> bool:
    """Somebody else is signed in here; whoever is signed in nowhere is taken for the link's person."""
    return request.user.is_authenticated and request.user.pk != link.user_id


def _outcome(request: HttpRequest, status: int, title: str, *, headers: Mapping[str, str] | None = None, **context: Any) -> HttpResponse:
    answer = render(request, "approvals/mailed_outcome.html", {"title": title, "status": status, **context}, status=status)
    for name, value in (headers or {}).items():
        answer[name] = value
    return _private(answer)


def _private(answer: HttpResponse) -> HttpResponse:
    """The address is a secret: it goes to no other site and into no index."""
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _miss(request: HttpRequest) -> HttpResponse:
    """404, and 429 to an address that guesses. A good link is never held up: behind a proxy everybody has one address."""
    if count_in_minute(f"approval-misses:{place_of(address_of(request.META))}") > MISSES_PER_MINUTE:
        return _outcome(request, 429, "Too many unknown links", headers={"Retry-After": "60"})
    return _outcome(request, 404, "There is no such link")
