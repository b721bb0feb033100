"""Callbacks that wait for a person: the inbox, and the pages behind approve and reject links."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from durable_ops.actions import callbacks as actions
from durable_ops.dashboard.access import actor_of, console_view, masks_for
from durable_ops.dashboard.acting import posted
from durable_ops.dashboard.forms.executions import DecisionForm
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.dashboard.payloads import Payload, make_payload
from durable_ops.models import Approval, AuditEntry, Right
from durable_ops.permissions import access_of, has_right, require
from durable_ops.selectors.masking import masking_of
from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError, CommandError
from execution_engine.selectors.callbacks import CallbackRow, find_callback, pending_callbacks
from execution_engine.selectors.executions import get_payloads

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a decision is no longer possible. `entry` is the audit row of the person who decided, if that happened here."""

    status: int
    title: str
    callback: CallbackRow | None = None
    entry: AuditEntry | None = None


@console_view(Right.VIEW_EXECUTION)
def callback_list(request: HttpRequest) -> HttpResponse:
    functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
    found = pending_callbacks(limit=SHOWN + 1, with_approvals=False, functions=functions)
    current = token([row.callback_id for row in found], [row.due_at for row in found])
    if is_unchanged(request, current):
        return unchanged()
    shown = masking_of(access_of(request.user)).callbacks(found[:SHOWN])
    context = {"callbacks": shown, "is_cut": len(found) > SHOWN, "live_url": live_url(request, current)}
    return render_page(request, "callbacks/list.html", context, fragment="cards")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.DECIDE_CALLBACK)
def approve(request: HttpRequest, callback_id: str) -> HttpResponse:
    return _decision(request, callback_id, approved=True)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.DECIDE_CALLBACK)
def reject(request: HttpRequest, callback_id: str) -> HttpResponse:
    return _decision(request, callback_id, approved=False)


def _decision(request: HttpRequest, callback_id: str, *, approved: bool) -> HttpResponse:
    """GET and HEAD only show, because mail scanners follow links."""
    callback = find_callback(callback_id)
    if callback is not None and not _concerns(request, callback):
        callback = None
    callback = masks_for(request, callback.function, callback.execution_id).callback(callback) if callback else None
    approval = Approval.objects.filter(callback_id=callback_id).only("pk").first() if callback and callback.is_approval else None
    if approval is not None:
        return HttpResponseRedirect(reverse("dashboard:approval", args=[approval.pk]))
    if callback is None or not callback.is_pending:
        return _decided(request, callback)
    form = DecisionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        return _decide(request, callback, approved=approved, comment=form.cleaned_data["comment"])
    context = {"callback": callback, "approved": approved, "form": form, "payload": _input(request, callback)}
    return render_page(request, "callbacks/decide.html", context, fragment="form")


def _concerns(request: HttpRequest, callback: CallbackRow) -> bool:
    """Also whoever may see it, but not decide, is told so; for others it is not there."""
    try:
        require(request.user, Right.DECIDE_CALLBACK, callback.function)
    except CommandError:
        return False
    return True


def _input(request: HttpRequest, callback: CallbackRow) -> Payload | None:
    if not has_right(request.user, Right.VIEW_PAYLOAD, callback.function):
        return None
    address = reverse("dashboard:payload", args=[callback.execution_id, "input"])
    text = masks_for(request, callback.function, callback.execution_id).text(get_payloads(callback.execution_id).input)
    return make_payload("input", "Input of the execution", text, address)


def _decide(request: HttpRequest, callback: CallbackRow, *, approved: bool, comment: str) -> HttpResponse:
    try:
        actions.decide(actor_of(request), callback.callback_id, approved=approved, comment=comment)
    except (CallbackCompletedError, CallbackNotFoundError):
        return _decided(request, find_callback(callback.callback_id))
    except CommandError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(request.path)
    messages.success(request, f"{'Approved' if approved else 'Rejected'}: {callback.title} of {callback.execution_name}.")
    following = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(following if is_ours else reverse("dashboard:callbacks"))


def _decided(request: HttpRequest, callback: CallbackRow | None) -> HttpResponse:
    outcome = _outcome(callback)
    return render_page(request, "callbacks/decided.html", {"outcome": outcome}, fragment="card", status=outcome.status)


def _outcome(callback: CallbackRow | None) -> Outcome:
    """404 unknown, 409 too late, 410 answered or no longer wanted."""
    if callback is None:
        return Outcome(404, "There is no such callback")
    if callback.status in (OperationStatus.SUCCEEDED, OperationStatus.FAILED):
        answers = ["callback.approve", "callback.reject", "callback.succeed", "callback.fail"]
        entries = AuditEntry.objects.filter(execution_id=callback.execution_id, object_id=callback.callback_id, action__in=answers)
        return Outcome(410, "Already decided", callback, entries.order_by("-id").first())
    if callback.status == OperationStatus.TIMED_OUT or (callback.due_at and callback.due_at <= callback.read_at):
        return Outcome(409, "Too late", callback)
    return Outcome(410, "No longer needed", callback)
