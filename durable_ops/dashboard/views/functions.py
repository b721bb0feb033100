"""Functions and their versions."""

from django.http import HttpRequest, HttpResponse

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.models import Right
from execution_engine.selectors.functions import list_functions
from execution_engine.selectors.workers import live_workers


@console_view(Right.VIEW_EXECUTION)
def function_list(request: HttpRequest) -> HttpResponse:
    functions = list_functions()
    workers = live_workers()
    current = token(functions, [(worker.boot_id, worker.in_flight, worker.is_draining) for worker in workers])
    if is_unchanged(request, current):
        return unchanged()
    context = {"functions": functions, "workers": workers, "live_url": live_url(request, current)}
    return render_page(request, "functions/list.html", context, fragment="rows")
