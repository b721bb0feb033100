"""Where the time of operations went, from rows and events."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from execution_engine.models import Execution, Operation
from execution_engine.selectors.executions import get_execution
from execution_engine.selectors.timeline import Timeline, get_timeline
from tests.factories import make_event, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ended_execution(seconds: float, **fields: Any) -> Execution:
    return make_execution(make_version(), status="SUCCEEDED", started_at=START, ended_at=at(seconds), last_event_at=at(seconds), **fields)


def invocation(execution: Execution, event_id: int, start: float, end: float) -> None:
    make_event(execution, event_id, "InvocationCompleted", at(end), details={"StartTimestamp": at(start).isoformat()})


def read(execution: Execution, **window: int) -> Timeline:
    return get_timeline(get_execution(execution.id), **window)


def segments(timeline: Timeline, title: str | None = None) -> list[tuple[str, float, float]]:
    found = timeline.segments if title is None else next(lane.segments for lane in timeline.lanes if lane.title == title)
    return [(str(one.kind), (one.start - START).total_seconds(), (one.end - START).total_seconds()) for one in found]


def test_retried_step_shows_attempts_and_pauses() -> None:
    execution = ended_execution(10)
    step = make_operation(execution, status="SUCCEEDED", name="pay", attempt=2, started_at=at(1), ended_at=at(8))
    invocation(execution, 9, 1, 2)
    invocation(execution, 10, 6.5, 10)
    events = [("StepStarted", 1, 0), ("StepFailed", 2, 4), ("StepStarted", 7, 0), ("StepSucceeded", 8, 0)]
    for number, (kind, second, delay) in enumerate(events):
        details = {"RetryDetails": {"CurrentAttempt": 1, **({"NextAttemptDelaySeconds": delay} if delay else {})}}
        make_event(execution, number + 1, kind, at(second), operation_id=step.id, details=details)
    timeline = read(execution)
    assert segments(timeline) == [("queued", 0, 1), ("running", 1, 2), ("retry_wait", 2, 6), ("queued", 6, 6.5), ("running", 6.5, 10)]
    assert segments(timeline, "pay") == [("running", 1, 2), ("retry_wait", 2, 6), ("queued", 6, 7), ("running", 7, 8)]
    assert timeline.lanes[0].attempts == 2


def test_wait_that_fired_late_was_over_when_due() -> None:
    execution = ended_execution(10)
    make_operation(execution, "WAIT", "SUCCEEDED", name="pause", started_at=at(1), ended_at=at(9), options={"duration": 5})
    invocation(execution, 5, 0, 2)
    invocation(execution, 6, 9, 10)
    assert segments(read(execution)) == [("running", 0, 2), ("waiting", 2, 6), ("queued", 6, 9), ("running", 9, 10)]


def test_context_shows_what_the_execution_did_meanwhile() -> None:
    execution = ended_execution(10)
    context = make_operation(execution, "CONTEXT", "SUCCEEDED", name="customer 1", started_at=at(1), ended_at=at(9))
    make_operation(execution, "CALLBACK", "SUCCEEDED", name="ask", parent_id=context.id, started_at=at(2), ended_at=at(7))
    invocation(execution, 5, 0, 3)
    invocation(execution, 6, 8, 10)
    timeline = read(execution)
    assert segments(timeline, "customer 1") == [("running", 1, 3), ("waiting", 3, 7), ("queued", 7, 8), ("running", 8, 9)]
    assert [(lane.title, lane.depth) for lane in timeline.lanes] == [("customer 1", 0), ("ask", 1)]


def test_lanes_stand_below_their_context_and_what_took_no_time_has_a_segment() -> None:
    execution = ended_execution(10)
    one = make_operation(execution, "CONTEXT", "SUCCEEDED", name="one", started_at=at(1), ended_at=at(9))
    two = make_operation(execution, "CONTEXT", "SUCCEEDED", name="two", started_at=at(1), ended_at=at(9))
    make_operation(execution, "STEP", "SUCCEEDED", name="of two", parent_id=two.id, started_at=at(2), ended_at=at(2))
    make_operation(execution, "STEP", "SUCCEEDED", name="of one", parent_id=one.id, started_at=at(3), ended_at=at(3))
    invocation(execution, 5, 0, 10)
    timeline = read(execution)
    assert [(lane.title, lane.depth) for lane in timeline.lanes] == [("one", 0), ("of one", 1), ("two", 0), ("of two", 1)]
    assert segments(timeline, "of two") == [("running", 2, 2)]


def test_open_invocation_runs_until_now() -> None:
    version = make_version()
    make_worker(version)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    execution = make_execution(version, started_at=START, claim_id=uuid4(), invocation_started_at=at(3), due_at=soon)
    timeline = read(execution)
    assert [kind for kind, _, _ in segments(timeline)] == ["queued", "running"]
    assert timeline.segments[-1].end == timeline.end


def test_suspended_execution_that_is_due_is_queued_since() -> None:
    version = make_version()
    execution = make_execution(version, started_at=START, due_at=at(100))
    invocation(execution, 1, 0, 1)
    make_operation(execution, "WAIT", "STARTED", started_at=at(1), due_at=at(100), options={"duration": 99})
    found = segments(read(execution))
    assert found[:2] == [("running", 0, 1), ("waiting", 1, 100)]
    assert found[2][:2] == ("queued", 100)


@pytest.mark.parametrize("rows", [1, 3])
def test_timeline_asks_two_queries(rows: int, django_assert_num_queries: Any) -> None:
    execution = ended_execution(10)
    for _ in range(rows):
        make_operation(execution, status="SUCCEEDED")
    detail = get_execution(execution.id)
    with django_assert_num_queries(2):
        assert len(get_timeline(detail).lanes) == rows


def test_windows_follow_one_another() -> None:
    execution = ended_execution(10)
    operations = [make_operation(execution, status="SUCCEEDED") for _ in range(3)]
    first = read(execution, limit=2)
    assert [lane.operation_id for lane in first.lanes] == [one.id for one in operations[:2]]
    assert first.next_after == operations[1].start_event
    second = read(execution, limit=2, after=first.next_after or 0)
    assert ([lane.operation_id for lane in second.lanes], second.next_after) == ([operations[2].id], None)


def batch_of(execution: Execution, items: int) -> Operation:
    batch = make_operation(execution, "CONTEXT", "SUCCEEDED", name="customers", sub_type="Map", started_at=at(1), ended_at=at(9))
    for number in range(items):
        item = make_operation(execution, "CONTEXT", "FAILED" if number == 1 else "SUCCEEDED", name=f"item {number}", parent_id=batch.id)
        make_operation(execution, status="SUCCEEDED", name="mail", parent_id=item.id)
    return batch


@pytest.mark.parametrize("limit", [2_000, 5])
def test_a_large_batch_is_one_line_until_it_is_opened(limit: int) -> None:
    execution = ended_execution(10)
    batch = batch_of(execution, 4)
    closed = read(execution, closes_above=3, limit=limit)
    assert [(one.title, one.inside, one.failed_inside, one.is_closed) for one in closed.lanes] == [("customers", 4, 1, True)]
    opened = get_timeline(get_execution(execution.id), opened=[batch.id], closes_above=3, limit=limit)
    assert [one.title for one in opened.lanes if one.depth == 1] == [f"item {number}" for number in range(4)]
    assert [one.is_closed for one in opened.lanes if one.operation_id == batch.id] == [False]


def test_segments_of_the_execution_are_the_same_whatever_is_closed() -> None:
    execution = ended_execution(10)
    batch = make_operation(execution, "CONTEXT", "SUCCEEDED", name="all", started_at=at(1), ended_at=at(9))
    for _ in range(2):
        make_operation(execution, "CALLBACK", "SUCCEEDED", name="ask", parent_id=batch.id, started_at=at(2), ended_at=at(7))
    invocation(execution, 5, 0, 3)
    invocation(execution, 6, 8, 10)
    assert segments(read(execution, closes_above=1)) == segments(read(execution)) == segments(read(execution, limit=2))


@pytest.mark.parametrize("rows", [6, 12])
def test_a_window_asks_five_queries(rows: int, django_assert_num_queries: Any) -> None:
    execution = ended_execution(10)
    for _ in range(rows):
        make_operation(execution, "CONTEXT", "SUCCEEDED")
    detail = get_execution(execution.id)
    with django_assert_num_queries(5):
        get_timeline(detail, limit=4)
