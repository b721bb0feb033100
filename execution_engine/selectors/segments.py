"""Pure arithmetic of time lines: from when invocations and operations began and ended to segments without gaps."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate


class SegmentKind(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    RETRY_WAIT = "retry_wait"


@dataclass(frozen=True, slots=True)
class Segment:
    kind: SegmentKind
    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; used for invocations and for what an execution waits for."""

    start: datetime
    end: datetime


def execution_segments(whole: Span, invocations: Iterable[Span], *, waits: Sequence[Span], retries: Sequence[Span]) -> list[Segment]:
    """Cuts `whole` into queued, running, waiting and retry-wait, without gap or overlap.

    Between two invocations the execution waits until the first thing it waits for is over (`waits` end by an answer or
    a timer, `retries` when the next attempt is due), then it is queued.
    """
    wakes = sorted(span.end for span in (*waits, *retries))
    waited = _Coverage(waits)
    segments: list[Segment] = []
    cursor = whole.start
    for invocation in sorted(invocations, key=lambda span: span.start):
        start = min(max(invocation.start, cursor), whole.end)
        segments += _gap(Span(cursor, start), wakes, waited, is_first=cursor == whole.start)
        cursor = min(max(invocation.end, start), whole.end)
        segments.append(Segment(SegmentKind.RUNNING, start, cursor))
    segments += _gap(Span(cursor, whole.end), wakes, waited, is_first=not segments)
    return _joined(segments)


def clipped(segments: Sequence[Segment], span: Span) -> list[Segment]:
    """The part of gapless `segments` within `span`; what lies beyond their ends counts as the outermost kind."""
    if not segments or span.end <= span.start:
        return []
    ends = [segment.end for segment in segments]
    first = min(bisect_right(ends, span.start), len(segments) - 1)
    last = min(bisect_left(ends, span.end), len(segments) - 1)
    found = []
    for index in range(first, last + 1):
        start = span.start if index == first else segments[index].start
        end = span.end if index == last else segments[index].end
        found.append(Segment(segments[index].kind, start, end))
    return _joined(found)


def _gap(gap: Span, wakes: Sequence[datetime], waited: "_Coverage", *, is_first: bool) -> list[Segment]:
    if is_first:
        return [Segment(SegmentKind.QUEUED, gap.start, gap.end)]
    kind = SegmentKind.WAITING if waited.covers(gap.start) else SegmentKind.RETRY_WAIT
    at = bisect_left(wakes, gap.start)
    woken = min(wakes[at], gap.end) if at < len(wakes) else gap.end
    return [Segment(kind, gap.start, woken), Segment(SegmentKind.QUEUED, woken, gap.end)]


def _joined(segments: Iterable[Segment]) -> list[Segment]:
    """Without empty segments, neighbours of one kind as one."""
    found: list[Segment] = []
    for segment in segments:
        if segment.end <= segment.start:
            continue
        if found and found[-1].kind is segment.kind:
            found[-1] = Segment(segment.kind, found[-1].start, segment.end)
        else:
            found.append(segment)
    return found


class _Coverage:
    """Answers in logarithmic time whether some span contains a moment."""

    def __init__(self, spans: Sequence[Span]) -> None:
        ordered = sorted(spans, key=lambda span: span.start)
        self._starts = [span.start for span in ordered]
        self._latest_ends = list(accumulate((span.end for span in ordered), max))

    def covers(self, moment: datetime) -> bool:
        at = bisect_right(self._starts, moment)
        return at > 0 and self._latest_ends[at - 1] >= moment
