"""The overview: what is going on, what needs somebody, what happened lately."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from durable_ops.approvals.orphans import orphaned
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.charts.activity import activity_figure, latency_figure
from durable_ops.dashboard.formats import count_text
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.dashboard.views.executions import FACET_WORDS
from durable_ops.dashboard.workers import noticeable, serving, version_names
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.selectors.failures import failure_groups
from durable_ops.selectors.masking import masking_of
from execution_engine.selectors.activity import activity, oldest_due
from execution_engine.selectors.callbacks import pending_callbacks
from execution_engine.selectors.executions import ExecutionSummary, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import list_functions
from execution_engine.selectors.overview import Overview, overview
from execution_engine.selectors.search import ExecutionFilters

SHOWN = 5
DEFAULT_SPAN = "24h"
RETRYING_READ = 100
OUTCOMES = (("succeeded", "succeeded"), ("failed", "failed"), ("stopped", "stopped"), ("running", "still open"))
PERCENTILES = (("running", "median"), ("retrying", "95th percentile"))
TILES = (
    StateCode.RUNNING,
    StateCode.QUEUED,
    StateCode.RETRYING,
    StateCode.WAITING_FOR_APPROVAL,
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


@dataclass(frozen=True, slots=True)
class Storm:
    """`count` executions that wait to retry one operation, the first of them at `next_at`."""

    function: str
    operation: str
    count: int
    next_at: datetime | None


SPANS = {
    "1h": Span("1 hour", timedelta(hours=1), timedelta(minutes=2)),
    "24h": Span("24 hours", timedelta(hours=24), timedelta(minutes=30)),
    "7d": Span("7 days", timedelta(days=7), timedelta(hours=4)),
    "30d": Span("30 days", timedelta(days=30), timedelta(days=1)),
}


@console_view(Right.VIEW_EXECUTION)
def overview_page(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("span", "")
    key = key if key in SPANS else DEFAULT_SPAN
    functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
    buckets = activity(SPANS[key].length, SPANS[key].bucket, functions)
    found = overview(functions)
    attention = _attention(request.user, found, functions)
    current = token(buckets, sorted(found.counts.items()), sorted(attention.items()), noticeable(found.workers))
    if is_unchanged(request, current):
        return unchanged()
    context = {
        "tiles": [_tile(code, found) for code in TILES],
        "outcomes": OUTCOMES,
        "percentiles": PERCENTILES,
        "workers": serving(found.workers, attention["version_names"]),
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
    words = {StateCode.WAITING: "On timer", StateCode.WAITING_FOR_APPROVAL: "On approval", StateCode.WAITING_FOR_CALLBACK: "On callback"}
    return {
        "code": code,
        "words": words.get(code, FACET_WORDS[code]),
        "count": count_text(found.counts.get(code, 0), is_estimated=code in found.estimated),
        "is_empty": not found.counts.get(code),
    }


def _attention(user: Any, found: Overview, functions: frozenset[str] | None) -> dict[str, Any]:
    """What somebody should look at, worst first, and who works."""
    masking = masking_of(access_of(user))
    is_retrying = bool(found.counts.get(StateCode.RETRYING))
    wanted = ExecutionFilters(state=StateCode.RETRYING, functions=functions)
    retrying = list_executions(wanted, limit=RETRYING_READ).items if is_retrying else ()
    versions = [version for function in list_functions(functions) for version in function.versions]
    names = version_names(versions)
    return {
        "stranded": [version for version in versions if version.is_stranded],
        "failures": failure_groups(timedelta(hours=24), access_of(user), SHOWN),
        "storms": _storms(retrying)[:SHOWN],
        "callbacks": masking.callbacks(pending_callbacks(limit=SHOWN, functions=functions)),
        "oldest_due": oldest_due({one for worker in found.workers if not worker.is_draining for one in worker.version_ids if one in names}),
        "version_names": names,
        "orphans": orphaned(user, limit=SHOWN),
    }


def _storms(retrying: Sequence[ExecutionSummary]) -> list[Storm]:
    """Executions that retry the same step of the same function, the largest group first."""
    groups: dict[tuple[str, str], list[datetime | None]] = defaultdict(list)
    for one in retrying:
        groups[one.function, one.state.operation or "the invocation"].append(one.state.until)
    storms = [
        Storm(function, operation, len(times), min((time for time in times if time), default=None))
        for (function, operation), times in groups.items()
    ]
    return sorted(storms, key=lambda storm: (-storm.count, storm.function, storm.operation))
