"""The time line as a figure that `static/js/figure.js` draws: one horizontal bar per segment, one trace per kind.

A plain dictionary of few characters, because 2,000 bars of it travel with the page: times are milliseconds since the start, and what a
hover says is put together from the row and the bar in the browser.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from durable_ops.dashboard.formats import duration_text
from execution_engine.selectors.segments import Segment, SegmentKind
from execution_engine.selectors.timeline import Lane, Timeline
from execution_engine.selectors.typical_durations import TypicalDuration

SHORTENED_ABOVE = 0.5
"""The share of the whole from which on spans in which nothing ran would squeeze the rest of the figure."""

LEAST_BREAK = 0.03
Break = tuple[float, float]
ENDED_BADLY = frozenset({"FAILED", "TIMED_OUT"})
NOTICED = timedelta(milliseconds=50)
ID_CHARACTERS = 16
"""Enough of an operation's id to find it in its execution; 64 characters for each of 2,000 rows would be half of the page."""


def timeline_figure(
    timeline: Timeline,
    *,
    title: str,
    invocations: int = 1,
    typical: Mapping[str, TypicalDuration] | None = None,
    breaks: Sequence[Break] = (),
) -> dict[str, Any]:
    """`origin` is the start in milliseconds since 1970, `end` how long after it the figure ends, `is_open` whether bars still grow.

    `data` has a trace per tone: rows `y`, begins `base` and widths `x` of its bars. `label`, `depth` and `id` (the beginning of the
    operation's) have an entry per row, `words` and `toggle` (a context that opens and closes) only for rows that have them. Row 0 is
    the execution itself, the band of its `invocations`, below it the operations in order of start; what runs is drawn over what waits.
    `breaks` are spans to be drawn shorter than they were: `long_waits` finds them.
    `typical` says, by label, how long such operations take: one that took longer than 95 % of them is called slow.
    """
    traces = {tone: _trace(tone) for tone in ("queued", "waiting", "retrying", "running", "failed")}
    known = typical or {}
    _add(traces, 0, timeline.start, timeline.segments, failed=False)
    for row, lane in enumerate(timeline.lanes, start=1):
        _add(traces, row, timeline.start, lane.segments, failed=lane.status in ENDED_BADLY)
    words = {row: said for row, lane in enumerate(timeline.lanes, start=1) if (said := _words(lane, known.get(lane.title)))}
    if invocations > 1:
        words[0] = f"{invocations:,} invocations"
    return {
        "origin": round(timeline.start.timestamp() * 1000, 3),
        "end": _since(timeline.start, timeline.end),
        "data": [trace for trace in traces.values() if trace["x"]],
        "label": [_shown(title), *(_label(lane, known.get(lane.title)) for lane in timeline.lanes)],
        "depth": [0, *(min(lane.depth + 1, 8) for lane in timeline.lanes)],
        "id": ["", *(lane.operation_id[:ID_CHARACTERS] for lane in timeline.lanes)],
        "words": words,
        "toggle": {row: lane.operation_id for row, lane in enumerate(timeline.lanes, start=1) if lane.inside},
        "usual": {_shown(name): f"usually {duration_text(one.p50)}, 95 % below {duration_text(one.p95)}" for name, one in known.items()},
        "is_open": timeline.is_open,
        "breaks": breaks,
    }


def long_waits(timeline: Timeline) -> list[Break]:
    """The spans in which nothing ran, in milliseconds since the start; none where together they are not most of the time."""
    whole, found = _since(timeline.start, timeline.end), list[Break]()
    for segment in timeline.segments:
        if segment.kind is SegmentKind.RUNNING:
            continue
        start, end = (_since(timeline.start, moment) for moment in (segment.start, segment.end))
        found.append((found.pop()[0], end) if found and found[-1][1] == start else (start, end))
    long = [one for one in found if one[1] - one[0] > whole * LEAST_BREAK]
    return long if sum(end - start for start, end in long) > whole * SHORTENED_ABOVE else []


def is_slow(lane: Lane, typical: TypicalDuration | None) -> bool:
    """Longer than 95 % of its kind, and by so much that somebody would notice."""
    return typical is not None and lane.duration > typical.p95 and lane.duration - typical.p50 > max(typical.p50 / 5, NOTICED)


def _label(lane: Lane, typical: TypicalDuration | None) -> str:
    label = _shown(lane.title)
    if lane.inside:
        failed = f", {lane.failed_inside:,} failed" if lane.failed_inside and lane.is_closed else ""
        label = f"{'▸' if lane.is_closed else '▾'} {label} ({lane.inside:,}{failed})"
    return f"{label} · slow" if is_slow(lane, typical) else label


def _words(lane: Lane, typical: TypicalDuration | None) -> str:
    words = []
    if lane.attempts > 1:
        words.append(f"{lane.attempts} attempts")
    if lane.inside:
        words.append(f"{lane.inside:,} inside" + (f", {lane.failed_inside:,} failed" if lane.failed_inside else ""))
    if is_slow(lane, typical):
        words.append(f"{duration_text(lane.duration)} in all")
    return " · ".join(words)


def _trace(tone: str) -> dict[str, Any]:
    return {"meta": tone, "base": [], "x": [], "y": []}


def _add(traces: dict[str, dict[str, Any]], row: int, origin: datetime, segments: Iterable[Segment], *, failed: bool) -> None:
    parts = list(segments)
    for at, segment in enumerate(parts):
        tone = "retrying" if segment.kind is SegmentKind.RETRY_WAIT else segment.kind.value
        if failed and at == len(parts) - 1 and tone == "running":
            tone = "failed"
        trace = traces[tone]
        trace["base"].append(_since(origin, segment.start))
        trace["x"].append(round(segment.duration.total_seconds() * 1000, 1))
        trace["y"].append(row)


def _shown(text: str) -> str:
    """Plotly reads a few tags in hover texts and labels; names are text, never markup."""
    text = text if len(text) <= 40 else f"{text[:39]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _since(origin: datetime, moment: datetime) -> float:
    return round((moment - origin).total_seconds() * 1000, 1)
