"""What a legal move writes besides its status: times, attempts, texts and the details of its events."""

from datetime import timedelta

import pytest

from execution_engine.core.enums import EventType, OperationAction, OperationStatus, OperationType
from execution_engine.core.errors import CallbackCompletedError, IllegalTransitionError
from execution_engine.core.records import OperationOptions
from execution_engine.core.transitions import apply_update, callback, chained_invoke, fire_timer
from tests.execution_engine.core.builders import EARLIER, ERROR, NOW, record, update

S, A, T = OperationStatus, OperationAction, OperationType
SECOND = timedelta(seconds=1)


def test_a_start_keeps_what_it_was_given() -> None:
    after = apply_update(None, update(T.STEP, A.START, sub_type="Step", parent_id="9"), NOW).record
    assert (after.name, after.sub_type, after.parent_id, after.started_at, after.attempt) == ("it", "Step", "9", NOW, 0)


def test_a_retry_after_an_error_counts_the_attempt_and_sets_the_timer() -> None:
    move = apply_update(record(T.STEP, S.STARTED, attempt=1), update(T.STEP, A.RETRY, error=ERROR), NOW)
    assert (move.record.attempt, move.record.due_at, move.record.error) == (2, NOW + 3 * SECOND, ERROR)
    assert move.events[0].type is EventType.STEP_FAILED
    assert move.events[0].details == {"RetryDetails": {"CurrentAttempt": 2, "NextAttemptDelaySeconds": 3}}
    assert move.events[0].error == ERROR, "the record's error is overwritten by the next attempt, so the event keeps its own"


def test_a_poll_that_goes_on_is_a_success_with_its_state() -> None:
    move = apply_update(record(T.STEP, S.STARTED), update(T.STEP, A.RETRY, payload="7"), NOW)
    assert (move.events[0].type, move.events[0].payload, move.record.payload) == (EventType.STEP_SUCCEEDED, "7", "7")


@pytest.mark.parametrize("action", [A.SUCCEED, A.FAIL])
def test_the_last_attempt_has_no_delay(action: OperationAction) -> None:
    move = apply_update(record(T.STEP, S.STARTED, attempt=2), update(T.STEP, action, payload="1"), NOW)
    assert move.events[0].details == {"RetryDetails": {"CurrentAttempt": 3}}
    assert (move.events[0].payload, move.record.payload) == (None, "1"), "a result is stored once, with its operation"


def test_a_retry_without_delay_is_refused() -> None:
    with pytest.raises(IllegalTransitionError, match="at least 1 second"):
        apply_update(record(T.STEP, S.STARTED), update(T.STEP, A.RETRY, options=OperationOptions()), NOW)


def test_a_second_start_keeps_attempt_and_state() -> None:
    ready = record(T.STEP, S.READY, attempt=1, payload="state")
    after = apply_update(ready, update(T.STEP, A.START), NOW).record
    assert (after.attempt, after.payload, after.started_at) == (1, "state", EARLIER)


def test_a_wait_shows_its_duration_at_both_ends() -> None:
    start = apply_update(None, update(T.WAIT, A.START), NOW)
    assert start.record.due_at == NOW + 10 * SECOND
    end = fire_timer(start.record, NOW + 10 * SECOND)
    assert end is not None
    assert [start.events[0].details, end.events[0].details] == [{"Duration": 10}, {"Duration": 10}]


def test_no_timer_fires_early() -> None:
    waiting = apply_update(None, update(T.WAIT, A.START), NOW).record
    assert fire_timer(waiting, NOW + 10 * SECOND - timedelta(microseconds=1)) is None


def test_a_wait_of_no_time_is_refused() -> None:
    with pytest.raises(IllegalTransitionError):
        apply_update(None, update(T.WAIT, A.START, options=OperationOptions()), NOW)


@pytest.mark.parametrize(
    ("timeout", "heartbeat", "details", "due"),
    [
        (0, 0, {}, None),
        (300, 0, {"Timeout": 300}, 300),
        (0, 60, {"HeartbeatTimeout": 60}, 60),
        (300, 60, {"Timeout": 300, "HeartbeatTimeout": 60}, 60),
        (30, 60, {"Timeout": 30, "HeartbeatTimeout": 60}, 30),
    ],
)
def test_a_callback_shows_what_was_asked_for(timeout: int, heartbeat: int, details: dict[str, int], due: int | None) -> None:
    options = OperationOptions(timeout=timeout, heartbeat=heartbeat)
    move = apply_update(None, update(T.CALLBACK, A.START, options=options), NOW)
    assert move.events[0].details == {"CallbackId": move.record.callback_id, **details}
    assert move.record.due_at == (None if due is None else NOW + due * SECOND)


def test_callback_ids_are_never_the_same() -> None:
    ids = {apply_update(None, update(T.CALLBACK, A.START), NOW).record.callback_id for _ in range(100)}
    assert len(ids) == 100


def test_a_heartbeat_moves_the_timer_but_never_past_the_general_one() -> None:
    options = OperationOptions(timeout=100, heartbeat=60)
    started = record(T.CALLBACK, S.STARTED, options=options, started_at=NOW, due_at=NOW + 60 * SECOND)
    beaten = callback.heartbeat(started, NOW + 30 * SECOND)
    assert (beaten.record.due_at, beaten.events) == (NOW + 90 * SECOND, ())
    assert callback.heartbeat(started, NOW + 59 * SECOND).record.due_at == NOW + 100 * SECOND


@pytest.mark.parametrize(("age", "error_type"), [(60, "Callback.Heartbeat"), (100, "Callback.Timeout")])
def test_a_time_out_says_which_timer_it_was(age: int, error_type: str) -> None:
    options = OperationOptions(timeout=100, heartbeat=60)
    started = record(T.CALLBACK, S.STARTED, options=options, started_at=NOW, due_at=NOW + 60 * SECOND)
    fired = fire_timer(started, NOW + age * SECOND)
    assert fired is not None
    assert fired.record.error is not None
    assert fired.record.error.type == error_type


def test_an_answer_is_kept_once_with_its_operation() -> None:
    won = callback.complete(record(T.CALLBACK, S.STARTED), NOW, payload="yes")
    lost = callback.complete(record(T.CALLBACK, S.STARTED), NOW, error=ERROR)
    assert (won.record.payload, won.events[0].payload, won.events[0].type) == ("yes", None, EventType.CALLBACK_SUCCEEDED)
    assert (lost.record.error, lost.events[0].error, lost.events[0].type) == (ERROR, None, EventType.CALLBACK_FAILED)


@pytest.mark.parametrize("status", [S.SUCCEEDED, S.FAILED, S.TIMED_OUT])
def test_a_second_answer_is_told_the_first(status: OperationStatus) -> None:
    for late in (callback.complete, callback.heartbeat):
        with pytest.raises(CallbackCompletedError) as refusal:
            late(record(T.CALLBACK, status, ended_at=EARLIER), NOW)
        assert refusal.value.facts["callback_status"] == status


def test_an_answer_at_the_deadline_is_late_before_the_timer_has_fired() -> None:
    with pytest.raises(CallbackCompletedError) as refusal:
        callback.complete(record(T.CALLBACK, S.STARTED, due_at=NOW), NOW)
    assert refusal.value.facts["callback_status"] == S.TIMED_OUT


def test_a_context_keeps_whether_its_children_must_replay() -> None:
    move = apply_update(record(T.CONTEXT, S.STARTED), update(T.CONTEXT, A.SUCCEED, payload="", replay_children=True), NOW)
    assert (move.record.replay_children, move.record.payload) == (True, "")


def test_an_invoke_keeps_its_input_in_its_event_and_ends_once() -> None:
    options = OperationOptions(function="pay", child="arn:child", tenant="t")
    start = apply_update(None, update(T.CHAINED_INVOKE, A.START, payload="null", options=options), NOW)
    assert start.events[0].payload == "null"
    assert start.events[0].details == {"FunctionName": "pay", "DurableExecutionArn": "arn:child", "TenantId": "t"}
    for status in (S.SUCCEEDED, S.FAILED, S.TIMED_OUT, S.STOPPED):
        end = chained_invoke.complete(start.record, status, NOW)
        assert end is not None
        assert end.record.status is status
        assert chained_invoke.complete(end.record, status, NOW) is None, "news of a child may come twice"
