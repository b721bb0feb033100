"""Where the time of an execution and of each of its operations went."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from execution_engine.core.enums import EventType, OperationStatus, OperationType
from execution_engine.models import Event, Operation
from execution_engine.selectors.executions import ExecutionDetail
from execution_engine.selectors.explain import plain_title
from execution_engine.selectors.operations import SHOWN, attempts_begun, nested
from execution_engine.selectors.segments import Segment, SegmentKind, Span, clipped, execution_segments

_NAMES = ("id", "type", "sub_type", "name", "parent_id", "status", "attempt", "options", "start_event")
_COLUMNS = (*_NAMES, "started_at", "ended_at", "due_at")
_BAD = (OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED)
Row = Mapping[str, Any]

CLOSES_ABOVE = 24
"""Operations directly inside a context from which on it is drawn closed: a map of a thousand items is one line."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One operation; its segments, at least one, are without gap from its start to its end, or to now while it is open.

    `inside` counts the operations directly inside it, `failed_inside` those that ended badly; `is_closed` says that they have no lanes.
    """

    operation_id: str
    title: str
    type: str
    status: str
    depth: int
    attempts: int
    segments: tuple[Segment, ...]
    inside: int = 0
    failed_inside: int = 0
    is_closed: bool = False

    @property
    def duration(self) -> timedelta:
        return sum((segment.duration for segment in self.segments), timedelta())


@dataclass(frozen=True, slots=True)
class Timeline:
    """`segments` are the execution's own, without gap from `start` to `end` (now while it is open).

    `lanes` are operations, children below their context, siblings in order of start, at most `operations.SHOWN`; `next_after` is where the
    next window begins, None for the last.
    """

    start: datetime
    end: datetime
    is_open: bool
    segments: tuple[Segment, ...]
    lanes: tuple[Lane, ...]
    next_after: int | None

    def total(self, kind: SegmentKind) -> timedelta:
        return sum((segment.duration for segment in self.segments if segment.kind is kind), timedelta())


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt that failed and was followed by a pause."""

    failed_at: datetime
    due_at: datetime


def get_timeline(
    execution: ExecutionDetail, *, after: int = 0, limit: int = SHOWN, opened: Collection[str] = (), closes_above: int = CLOSES_ABOVE
) -> Timeline:
    """Operations started after the history event `after`, and the events that cut time into pieces.

    A context with more than `closes_above` operations directly inside is closed unless it is `opened`. Of an execution with more than
    `limit` operations every context is, so that the window shows its course. Two queries, for those five.
    """
    summary = execution.summary
    whole = Span(summary.started_at, max(summary.ended_at or summary.read_at, summary.started_at))
    rows, inside, waiting, next_after = _read_rows(summary.id, after, limit, opened, closes_above)
    invocations, starts, attempts = _read_events(summary.id, [row["id"] for row in rows if _was_retried(row)])
    if execution.invocation_started_at and not summary.ended_at:
        invocations.append(Span(execution.invocation_started_at, whole.end))
    waits = [_waited(row, whole.end) for row in waiting]
    retries = [Span(one.failed_at, one.due_at) for some in attempts.values() for one in some]
    if execution.due_at and not summary.ended_at:
        # What is due but not yet fired has no event: the row knows when it will be.
        retries.append(Span(whole.end, execution.due_at))
    segments = execution_segments(whole, invocations, waits=waits, retries=retries)
    lanes = [
        _lane(row, depth, _segments(row, whole, segments, starts[row["id"]], attempts[row["id"]]))
        for row, depth in nested(rows, lambda row: (row["id"], row["parent_id"]))
    ]
    parents = {row["parent_id"] for row in rows}
    lanes = [_with_inside(lane, inside, parents) for lane in lanes]
    return Timeline(whole.start, whole.end, summary.ended_at is None, tuple(segments), tuple(lanes), next_after)


def _read_rows(
    execution_id: UUID, after: int, limit: int, opened: Collection[str], closes_above: int
) -> tuple[Sequence[Row], Mapping[str, tuple[int, int]], Sequence[Row], int | None]:
    """The rows with lanes, what is inside of contexts (all, failed), the rows that wait, and where the next window begins."""
    every = Operation.objects.filter(execution_id=execution_id).order_by("start_event", "id")
    rows = list(every.filter(start_event__gt=after).values(*_COLUMNS)[: limit + 1])
    if len(rows) <= limit and not after:
        inside: dict[str, tuple[int, int]] = {}
        for row in rows:
            if row["parent_id"]:
                count, failed = inside.get(row["parent_id"], (0, 0))
                inside[row["parent_id"]] = (count + 1, failed + (row["status"] in _BAD))
        closed = {one for one, (count, _) in inside.items() if count > closes_above} - set(opened)
        return _outside(rows, closed), inside, [row for row in rows if row["type"] in _WAITING], None
    shown = every.filter(Q(parent_id=None) | Q(parent_id__in=list(opened)), start_event__gt=after)
    rows = list(shown.values(*_COLUMNS)[: limit + 1])
    next_after = rows[limit - 1]["start_event"] if len(rows) > limit else None
    rows = rows[:limit]
    contexts = [row["id"] for row in rows if row["type"] == OperationType.CONTEXT]
    counted = Operation.objects.filter(execution_id=execution_id, parent_id__in=contexts).values("parent_id")
    counted = counted.annotate(every=Count("id"), bad=Count("id", filter=Q(status__in=_BAD)))
    found = {row["parent_id"]: (row["every"], row["bad"]) for row in counted}
    waiting = list(every.filter(type__in=_WAITING).values(*_COLUMNS)[:limit])
    return rows, found, waiting, next_after


def _outside(rows: Sequence[Row], closed: Collection[str]) -> list[Row]:
    """Without what is inside closed contexts, at any depth; parents start before their children."""
    hidden: set[str] = set()
    shown = []
    for row in rows:
        if row["parent_id"] in closed or row["parent_id"] in hidden:
            hidden.add(row["id"])
        else:
            shown.append(row)
    return shown


def _with_inside(lane: Lane, inside: Mapping[str, tuple[int, int]], parents: Collection[str | None]) -> Lane:
    count, failed = inside.get(lane.operation_id, (0, 0))
    if not count:
        return lane
    return replace(lane, inside=count, failed_inside=failed, is_closed=lane.operation_id not in parents)


_WAITING = (OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE)


def _was_retried(row: Mapping[str, Any]) -> bool:
    is_over = row["ended_at"] is not None
    return bool(row["type"] == OperationType.STEP and row["attempt"] > (1 if is_over else 0))


def _read_events(execution_id: UUID, retried: Sequence[str]) -> tuple[list[Span], dict[str, list[datetime]], dict[str, list[_Attempt]]]:
    invocations: list[Span] = []
    starts: dict[str, list[datetime]] = defaultdict(list)
    attempts: dict[str, list[_Attempt]] = defaultdict(list)
    kinds = [EventType.INVOCATION_COMPLETED]
    steps = [EventType.STEP_STARTED, EventType.STEP_FAILED, EventType.STEP_SUCCEEDED]
    found = Event.objects.filter(execution_id=execution_id, type__in=kinds + steps if retried else kinds)
    wanted = set(retried)
    for kind, operation_id, at, details in found.order_by("event_id").values_list("type", "operation_id", "at", "details"):
        if kind == EventType.INVOCATION_COMPLETED:
            began = json.loads(details or "{}").get("StartTimestamp")
            invocations.append(Span(datetime.fromisoformat(began) if began else at, at))
        elif operation_id in wanted and kind == EventType.STEP_STARTED:
            starts[operation_id].append(at)
        elif operation_id in wanted:
            delay = json.loads(details or "{}").get("RetryDetails", {}).get("NextAttemptDelaySeconds")
            if delay:
                attempts[operation_id].append(_Attempt(at, at + timedelta(seconds=delay)))
    return invocations, starts, attempts


def _waited(row: Mapping[str, Any], end: datetime) -> Span:
    """A timer that fired late was over when it was due: what follows is queueing."""
    options = json.loads(row["options"]) if row["options"] else {}
    until = row["ended_at"] or end
    if row["type"] == OperationType.WAIT and row["ended_at"] and options.get("duration"):
        until = min(until, row["started_at"] + timedelta(seconds=options["duration"]))
    elif row["ended_at"] is None and row["due_at"]:
        until = max(row["due_at"], row["started_at"])
    return Span(row["started_at"], until)


def _segments(
    row: Mapping[str, Any], whole: Span, execution: Sequence[Segment], starts: Sequence[datetime], attempts: Sequence[_Attempt]
) -> tuple[Segment, ...]:
    span = Span(row["started_at"], max(row["ended_at"] or whole.end, row["started_at"]))
    if row["type"] in _WAITING:
        return (Segment(SegmentKind.WAITING, span.start, span.end),) if span.end > span.start else ()
    if row["type"] != OperationType.STEP or not attempts:
        return tuple(clipped(execution, span))
    segments: list[Segment] = []
    cursor = span.start
    for attempt in attempts:
        failed_at = min(max(attempt.failed_at, cursor), span.end)
        segments += clipped(execution, Span(cursor, failed_at))
        again = next((at for at in starts if at > attempt.failed_at), span.end)
        due_at = min(max(attempt.due_at, failed_at), span.end)
        cursor = min(max(again, due_at), span.end)
        segments += [Segment(SegmentKind.RETRY_WAIT, failed_at, due_at), Segment(SegmentKind.QUEUED, due_at, cursor)]
    segments += clipped(execution, Span(cursor, span.end))
    return tuple(segment for segment in segments if segment.end > segment.start)


def _lane(row: Mapping[str, Any], depth: int, segments: tuple[Segment, ...]) -> Lane:
    attempts = attempts_begun(row["status"], row["attempt"]) if row["type"] == OperationType.STEP else 1
    title = plain_title(row["name"]) or row["sub_type"] or row["type"].title()
    if not segments:  # what took no time still happened
        kind = SegmentKind.WAITING if row["type"] in _WAITING else SegmentKind.RUNNING
        segments = (Segment(kind, row["started_at"], row["started_at"]),)
    return Lane(row["id"], title, row["type"], row["status"], depth, attempts, segments)
