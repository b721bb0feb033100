"""What the navigation shows beside its links: waiting approvals and live workers. Loaded after the page and refreshed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from durable_ops.approvals import inbox
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.models import Right
from durable_ops.permissions import Access, access_of
from execution_engine.selectors.callbacks import pending_callbacks
from execution_engine.selectors.workers import live_workers

COUNTED = 99


@console_view(None)
@require_safe
def navigation(request: HttpRequest) -> HttpResponse:
    """People who may not see executions get only the number of their approvals."""
    approvals = inbox.waiting_for(request.user)
    access = access_of(request.user)
    facts = _facts(access) if access.may(Right.VIEW_EXECUTION) else {}
    current = token(approvals, facts)
    if is_unchanged(request, current):
        return unchanged()
    context = {"approvals": f"{COUNTED}+" if approvals > COUNTED else approvals, **facts, "live_url": live_url(request, current)}
    return render_page(request, "components/_navigation.html", context, fragment="state")


def _facts(access: Access) -> dict[str, Any]:
    functions = access.functions_for(Right.VIEW_EXECUTION)
    waiting = len(pending_callbacks(limit=COUNTED + 1, with_approvals=False, functions=functions))
    workers = live_workers()
    return {
        "waiting": f"{COUNTED}+" if waiting > COUNTED else waiting,
        "workers": len(workers),
        "threads": sum(worker.threads for worker in workers),
        "busy": sum(worker.in_flight for worker in workers),
    }
