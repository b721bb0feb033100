"""The audit log: every change by a person, key or command, newest first."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import page_url, render_page
from durable_ops.models import AuditEntry, Right

PAGE_SIZE = 50


@console_view(Right.VIEW_AUDIT)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Filters by text (who, object, reason) and action; pages by entry number."""
    text, action = request.GET.get("q", "").strip().replace("\x00", ""), request.GET.get("action", "").strip().replace("\x00", "")
    before = request.GET.get("before", "")
    found = AuditEntry.objects.order_by("-at", "-id")
    if text:
        found = found.filter(Q(actor__icontains=text) | Q(object_id__istartswith=text) | Q(reason__icontains=text))
    if action:
        found = found.filter(action=action)
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(id__lt=int(before))
    entries = list(found[: PAGE_SIZE + 1])
    query = request.GET.copy()
    if len(entries) > PAGE_SIZE:
        query["before"] = str(entries[PAGE_SIZE - 1].id)
    context = {
        "entries": entries[:PAGE_SIZE],
        "next_url": f"{request.path}?{query.urlencode()}" if len(entries) > PAGE_SIZE else None,
        "q": text,
        "action": action,
        "actions": ACTIONS,
        "is_filtered": bool(text or action),
    }
    return render_page(request, "audit/list.html", context, fragment="rows", url=page_url(request))


ACTIONS = (
    "execution.start",
    "execution.stop",
    "execution.signal",
    "execution.pause",
    "execution.resume",
    "execution.redrive",
    "execution.fork",
    "execution.delete",
    "callback.approve",
    "callback.reject",
    "callback.succeed",
    "callback.fail",
    "api_key.create",
    "api_key.revoke",
    "price.add",
)
