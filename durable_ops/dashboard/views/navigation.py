"""What the navigation says beside its links: who waits for an answer, which workers live. Loaded after the page, then kept fresh."""

from django.http import HttpRequest, HttpResponse

from durable_ops.approvals import inbox
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.models import Right
from durable_ops.permissions import access_of
from execution_engine.selectors.callbacks import pending_callbacks
from execution_engine.selectors.workers import live_workers

COUNTED = 99


@console_view(Right.VIEW_EXECUTION)
def navigation(request: HttpRequest) -> HttpResponse:
    functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
    waiting = len(pending_callbacks(limit=COUNTED + 1, with_approvals=False, functions=functions))
    approvals = inbox.waiting_for(request.user)
    workers = live_workers()
    threads = sum(worker.threads for worker in workers)
    busy = sum(worker.in_flight for worker in workers)
    current = token(waiting, approvals, len(workers), threads, busy)
    if is_unchanged(request, current):
        return unchanged()
    context = {
        "waiting": f"{COUNTED}+" if waiting > COUNTED else waiting,
        "approvals": f"{COUNTED}+" if approvals > COUNTED else approvals,
        "workers": len(workers),
        "threads": threads,
        "busy": busy,
        "live_url": live_url(request, current),
    }
    return render_page(request, "components/_navigation.html", context, fragment="state")
