"""Invocations and executions end: what is written, what is owed, and never twice."""

from datetime import timedelta
from uuid import UUID

import pytest

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.errors import ExecutionEndedError
from execution_engine.core.transitions import execution as moves
from execution_engine.core.transitions import moving
from tests.execution_engine.core.builders import EARLIER, ERROR, NOW, execution

CLAIM, REQUEST = UUID(int=1), UUID(int=2)
CLAIMED = execution(claim_id=CLAIM, invocation_started_at=EARLIER, wake_seq=3, told_seq=3)
SOON, LATER = NOW + timedelta(seconds=5), NOW + timedelta(hours=1)
TERMINAL = [ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.STOPPED]


def test_suspending_releases_the_claim_and_waits_for_the_nearest_timer() -> None:
    after = moves.suspend(CLAIMED, SOON, NOW, REQUEST).record
    assert (after.claim_id, after.invocation_started_at, after.due_at) == (None, None, SOON)


def test_suspending_with_news_untold_is_due_at_once() -> None:
    after = moves.suspend(execution(claim_id=CLAIM, wake_seq=4, told_seq=3), LATER, NOW, REQUEST).record
    assert after.due_at == NOW


def test_suspending_with_nothing_timed_waits_for_an_outsider() -> None:
    assert moves.suspend(CLAIMED, None, NOW, REQUEST).record.due_at is None


def test_the_deadline_of_the_execution_is_a_timer_too() -> None:
    record = execution(claim_id=CLAIM, wake_seq=3, told_seq=3, deadline_at=SOON)
    assert moves.suspend(record, LATER, NOW, REQUEST).record.due_at == SOON
    assert moves.suspend(record, None, NOW, REQUEST).record.due_at == SOON


def test_a_good_invocation_forgets_the_failed_ones() -> None:
    record = execution(claim_id=CLAIM, failed_invocations=4)
    assert moves.suspend(record, None, NOW, REQUEST).record.failed_invocations == 0


@pytest.mark.parametrize("status", TERMINAL)
def test_an_end_writes_the_invocation_first_and_its_terminal_event_last(status: ExecutionStatus) -> None:
    move = moves.end(CLAIMED, status, NOW, result="1", error=ERROR, request_id=REQUEST)
    terminal = {EventType.EXECUTION_SUCCEEDED, EventType.EXECUTION_FAILED, EventType.EXECUTION_TIMED_OUT, EventType.EXECUTION_STOPPED}
    assert move.events[0].type is EventType.INVOCATION_COMPLETED
    assert move.events[0].details == {"StartTimestamp": EARLIER.isoformat(), "RequestId": str(REQUEST)}
    assert len(move.events) == 2
    assert move.events[1].type in terminal
    assert (move.record.status, move.record.claim_id, move.record.due_at, move.record.ended_at) == (status, None, None, NOW)


@pytest.mark.parametrize("status", [ExecutionStatus.STOPPED, ExecutionStatus.TIMED_OUT])
def test_no_invocation_is_completed_where_none_was_under_way(status: ExecutionStatus) -> None:
    assert len(moves.end(execution(), status, NOW).events) == 1
    claimed_but_not_begun = execution(claim_id=CLAIM)
    assert len(moves.end(claimed_but_not_begun, status, NOW).events) == 1


@pytest.mark.parametrize("first", TERMINAL)
@pytest.mark.parametrize("second", TERMINAL)
def test_nothing_ends_twice(first: ExecutionStatus, second: ExecutionStatus) -> None:
    over = moves.end(CLAIMED, first, NOW).record
    with pytest.raises(ExecutionEndedError) as refusal:
        moves.end(over, second, NOW)
    assert refusal.value.facts["execution_status"] == first


def test_a_failed_invocation_is_tried_again_after_a_pause() -> None:
    move = moves.fail_invocation(CLAIMED, ERROR, NOW, REQUEST)
    assert (move.record.due_at, move.record.failed_invocations, move.record.status) == (SOON, 1, ExecutionStatus.RUNNING)
    assert [(event.type, event.error) for event in move.events] == [(EventType.INVOCATION_COMPLETED, ERROR)]


def test_a_dead_process_is_replaced_at_once() -> None:
    assert moves.fail_invocation(CLAIMED, moves.EXIT_ERROR, NOW, REQUEST).record.due_at == NOW


def test_the_fifth_failed_invocation_in_a_row_fails_the_execution() -> None:
    move = moves.fail_invocation(execution(claim_id=CLAIM, failed_invocations=4), ERROR, NOW, REQUEST)
    assert (move.record.status, move.record.error, move.record.due_at) == (ExecutionStatus.FAILED, ERROR, None)
    assert [event.type for event in move.events] == [EventType.INVOCATION_COMPLETED, EventType.EXECUTION_FAILED]


def test_a_death_among_others_does_not_count() -> None:
    record = execution(claim_id=CLAIM, failed_invocations=4)
    assert moves.fail_invocation(record, moves.EXIT_ERROR, NOW, REQUEST, counts=False).record.status is ExecutionStatus.RUNNING


def test_a_failed_invocation_is_not_retried_after_the_deadline() -> None:
    record = execution(claim_id=CLAIM, deadline_at=NOW + timedelta(seconds=1))
    assert moves.fail_invocation(record, ERROR, NOW, REQUEST).record.due_at == record.deadline_at


def test_the_deadline_itself_is_too_late() -> None:
    assert moves.is_past_deadline(execution(deadline_at=NOW), NOW)
    assert not moves.is_past_deadline(execution(deadline_at=SOON), NOW)
    assert not moves.is_past_deadline(execution(), NOW)
    assert not moves.is_past_deadline(execution(deadline_at=NOW, status=ExecutionStatus.STOPPED), NOW)


def test_a_move_takes_the_claim_away_and_owes_an_invocation() -> None:
    moved = moving.move(CLAIMED, "2", NOW, REQUEST, {"ToVersion": "2"})
    after = moved.record
    assert (after.version, after.claim_id, after.invocation_started_at, after.due_at) == ("2", None, None, NOW)
    assert (after.wake_seq != after.told_seq, after.failed_invocations) == (True, 0)
    assert [event.type for event in moved.events] == [EventType.INVOCATION_COMPLETED, EventType.EXECUTION_MOVED]


@pytest.mark.parametrize("status", [ExecutionStatus.PAUSED, ExecutionStatus.PAUSING])
def test_a_move_leaves_a_pause_in_place(status: ExecutionStatus) -> None:
    moved = moving.move(execution(status=status, due_at=SOON), "2", NOW, None, {})
    assert (moved.record.status, moved.record.due_at) == (status, SOON)
    assert [event.type for event in moved.events] == [EventType.EXECUTION_MOVED]


@pytest.mark.parametrize("status", TERMINAL)
def test_what_is_over_is_not_moved(status: ExecutionStatus) -> None:
    with pytest.raises(ExecutionEndedError):
        moving.move(execution(status=status), "2", NOW, None, {})
