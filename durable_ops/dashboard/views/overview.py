"""The overview: what is going on, what needs somebody, what happened lately."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.charts.activity import activity_figure, latency_figure
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.dashboard.views.executions import FACET_WORDS
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.selectors.activity import activity, failure_groups, oldest_due
from execution_engine.selectors.callbacks import pending_callbacks
from execution_engine.selectors.executions import ExecutionFilters, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import list_functions
from execution_engine.selectors.overview import Overview, overview

SHOWN = 5
TILES = (
    StateCode.RUNNING,
    StateCode.QUEUED,
    StateCode.RETRYING,
    StateCode.WAITING_FOR_CALLBACK,
    StateCode.WAITING,
    StateCode.STRANDED,
    StateCode.FAILED,
    StateCode.SUCCEEDED,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A choice of how far back the charts look, and how wide their buckets are."""

    words: str
    length: timedelta
    bucket: timedelta


SPANS = {
    "1h": Span("1 hour", timedelta(hours=1), timedelta(minutes=2)),
    "24h": Span("24 hours", timedelta(hours=24), timedelta(minutes=30)),
    "7d": Span("7 days", timedelta(days=7), timedelta(hours=4)),
    "30d": Span("30 days", timedelta(days=30), timedelta(days=1)),
}


@console_view(Right.VIEW_EXECUTION)
def overview_page(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("span", "")
    key = key if key in SPANS else "1h"
    buckets = activity(SPANS[key].length, SPANS[key].bucket)
    found = overview()
    attention = _attention(request, found)
    current = token(buckets, sorted(found.counts.items()), sorted(attention.items()), len(found.workers))
    if is_unchanged(request, current):
        return unchanged()
    context = {
        "tiles": [_tile(code, found) for code in TILES],
        "workers": found.workers,
        "busy": sum(worker.in_flight for worker in found.workers),
        "threads": sum(worker.threads for worker in found.workers),
        "span": key,
        "spans": SPANS,
        "total": sum(bucket.succeeded + bucket.failed + bucket.stopped + bucket.open for bucket in buckets),
        "failed": sum(bucket.failed for bucket in buckets),
        "activity": activity_figure(buckets),
        "latency": latency_figure(buckets),
        "live_url": live_url(request, current),
        **attention,
    }
    return render_page(request, "overview/index.html", context, fragment="live")


def _tile(code: StateCode, found: Overview) -> dict[str, Any]:
    words = {StateCode.WAITING: "Waiting for a timer", StateCode.WAITING_FOR_CALLBACK: "Waiting for a callback"}
    return {
        "code": code,
        "words": words.get(code, FACET_WORDS[code]),
        "count": found.counts.get(code, 0),
        "is_least": code in found.at_least,
    }


def _attention(request: HttpRequest, found: Overview) -> dict[str, Any]:
    """What somebody should look at, worst first."""
    is_retrying = bool(found.counts.get(StateCode.RETRYING))
    retrying = list_executions(ExecutionFilters(state=StateCode.RETRYING), limit=SHOWN).items if is_retrying else ()
    return {
        "stranded": [version for function in list_functions() for version in function.versions if version.is_stranded],
        "failures": failure_groups(timedelta(hours=24))[:SHOWN] if has_right(request.user, Right.VIEW_PAYLOAD) else [],
        "retrying": retrying,
        "callbacks": pending_callbacks(limit=SHOWN),
        "oldest_due": oldest_due(),
    }
