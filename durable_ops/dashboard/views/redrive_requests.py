"""Edited redrives that wait for a second person: the list, and the page where they confirm exactly what is shown."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from durable_ops.actions import redrive_requests as actions
from durable_ops.dashboard.access import actor_of, console_view, masks_for
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import RedriveRequest, Right
from durable_ops.permissions import access_of
from execution_engine.core.errors import CommandError

SHOWN = 100


@console_view(Right.VIEW_EXECUTION)
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """One's own, and those that one may confirm; what waits comes first."""
    found = list(actions.visible_requests(access_of(request.user), request.user)[:SHOWN])
    rows = sorted(({"request": one, "is_open": actions.is_open(one)} for one in found), key=lambda row: not row["is_open"])
    return render_page(request, "redrive_requests/list.html", {"rows": rows}, fragment="rows")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.VIEW_EXECUTION)
def request_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows; POST with `decision` confirm (and the digest `shown`), reject or withdraw decides once."""
    found = actions.visible_requests(access_of(request.user), request.user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such request. Requests are kept for 90 days.")
    status, problem = 200, ""
    if request.method == "POST":
        try:
            return _decide(request, found)
        except CommandError as error:
            found.refresh_from_db()
            status, problem = error.status, error.message
    is_own = found.requester_id == request.user.pk
    may_read = is_own or access_of(request.user).may(Right.VIEW_PAYLOAD, found.function)
    masks = masks_for(request, found.function)
    values = [(label, masks.text(text)) for label, given, text in _values(found) if given and may_read]
    context = {"one": found, "values": values, "may_read": may_read, "is_masked": bool(masks.paths), "problem": problem}
    context |= {"is_open": actions.is_open(found), "is_own": is_own}
    return render_page(request, "redrive_requests/detail.html", context, fragment="card", status=status)


def _decide(request: HttpRequest, found: RedriveRequest) -> HttpResponse:
    decision, comment = request.POST.get("decision", ""), request.POST.get("comment", "")
    if decision == "confirm":
        actions.confirm(actor_of(request), found.pk, shown=request.POST.get("shown", ""), comment=comment)
        messages.success(request, "Confirmed: the execution was redriven with these values.")
    elif decision == "withdraw":
        actions.withdraw(actor_of(request), found.pk)
        messages.success(request, "Withdrawn. Nothing was done.")
    else:
        actions.reject(actor_of(request), found.pk, comment=comment)
        messages.success(request, "Rejected. Nothing was done.")
    return HttpResponseRedirect(reverse("dashboard:execution", args=[found.execution_id]))


def _values(found: RedriveRequest) -> list[tuple[str, bool, str | None]]:
    return [("New input", found.replaces_input, found.input), ("New result", found.replaces_result, found.result)]
