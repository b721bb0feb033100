"""The time line on the page of an execution: its figure, how the wall time divides, and the addresses of its other windows."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from durable_ops.dashboard.charts.timeline import long_waits, timeline_figure
from durable_ops.dashboard.htmx import LIVE
from execution_engine.core.enums import OperationType
from execution_engine.core.identifiers import read_number
from execution_engine.selectors.executions import ExecutionDetail
from execution_engine.selectors.segments import SegmentKind
from execution_engine.selectors.timeline import Lane, Timeline, get_timeline
from execution_engine.selectors.typical_durations import typical_durations

MAX_OPENED = 50
MAX_COMPARED = 200
"""Lanes whose duration is compared with the typical one; nobody reads more."""


def timeline_context(request: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    """`?window=` is the history event after which it begins, `?open=` the ids of contexts that are drawn open, `?scale=time` asks for
    long waits as long as they were."""
    summary = execution.summary
    opened = request.GET.getlist("open")[:MAX_OPENED]
    window, is_true = read_number(request.GET.get("window", "")), request.GET.get("scale") == "time"
    timeline = get_timeline(execution, after=window or 0, opened=opened)
    breaks = long_waits(timeline)
    typical = typical_durations(summary.function, summary.version, [lane.title for lane in timeline.lanes[:MAX_COMPARED]])
    return {
        "timeline": timeline,
        "split": _split(timeline),
        "figure": timeline_figure(
            timeline, title=summary.function, invocations=summary.invocations, typical=typical, breaks=() if is_true else breaks
        ),
        "scale": _scale(request, window, opened, is_true=is_true) if breaks else {},
        "windows": _windows(request, timeline, opened),
        "has_children": any(lane.type == OperationType.CHAINED_INVOKE for lane in timeline.lanes),
    }


def _windows(request: HttpRequest, timeline: Timeline, opened: Sequence[str]) -> dict[str, Any]:
    """Addresses of the other windows, and of every context opened or closed, with the rest of the address as it is."""
    window = read_number(request.GET.get("window", ""))
    changeable = [lane for lane in timeline.lanes if lane.is_closed or lane.operation_id in opened]
    return {
        "toggles": [{"lane": lane, "url": _address(request, window, _toggled(lane, opened))} for lane in changeable[:MAX_OPENED]],
        "first": _address(request, None, opened) if window else None,
        "next": _address(request, timeline.next_after, opened) if timeline.next_after else None,
    }


def _scale(request: HttpRequest, window: int | None, opened: Sequence[str], *, is_true: bool) -> dict[str, Any]:
    """Addresses of both scales, and what the tabs add to theirs to keep the one that was chosen."""
    addresses = {scale: _address(request, window, opened, scale=scale) for scale in (None, "time")}
    return {"is_true": is_true, "shortened": addresses[None], "true": addresses["time"], "kept": "&scale=time" if is_true else ""}


def _toggled(lane: Lane, opened: Sequence[str]) -> list[str]:
    return [*opened, lane.operation_id] if lane.is_closed else [one for one in opened if one != lane.operation_id]


def _address(request: HttpRequest, window: int | None, opened: Sequence[str], **changes: str | None) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.setlist(name, [value] if value else [])
    for name in (*LIVE, "window"):
        query.pop(name, None)
    query.setlist("open", list(opened))
    if window:
        query["window"] = str(window)
    return f"{request.path}?{query.urlencode()}"


def _split(timeline: Timeline) -> list[dict[str, Any]]:
    """How the wall time divides, for the bar in the header: words, duration and place in percent."""
    whole = max((timeline.end - timeline.start).total_seconds(), 1e-9)
    words = (
        (SegmentKind.QUEUED, "queued", "Queued"),
        (SegmentKind.RUNNING, "running", "Running"),
        (SegmentKind.WAITING, "waiting", "Waiting"),
        (SegmentKind.RETRY_WAIT, "retrying", "Waiting to retry"),
    )
    parts, at = [], 0.0
    for kind, tone, word in words:
        total = timeline.total(kind)
        share = total.total_seconds() / whole * 100
        parts.append({"tone": tone, "word": word, "total": total, "x": f"{at:.3f}", "width": f"{share:.3f}"})
        at += share
    return parts
