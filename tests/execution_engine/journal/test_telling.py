"""DESIGN 3.4, 3.7, 3.8: sequences, held STARTs, and who has been told of what."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from execution_engine.core.enums import EventType
from execution_engine.core.errors import CallbackCompletedError
from execution_engine.core.records import HistoryEvent
from execution_engine.journal.lane import Entry, Release
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import callbacks, signals
from tests.execution_engine.journal.moves import callback, checkpoint, close, hold, signal, step, wait
from tests.waiting import PATIENCE, wait_until

Claimed = Callable[..., Any]


def suspend(lane: Any, *, due_at: Any = None) -> Entry:
    return Entry([], lane.clock.now(), events=(HistoryEvent(EventType.INVOCATION_COMPLETED),), release=Release(due_at=due_at))


def callback_id(lane: Any, name: str = "c1") -> str:
    return str(lane.operations[name].callback_id)


def test_a_held_start_is_written_within_its_time(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer(held_seconds=0.02)
    _, lane = claim_one()

    hold(writer, lane, step("START"))

    wait_until(Operation.objects.filter(execution_id=lane.execution_id).exists)


def test_a_held_start_travels_with_the_next_update_in_one_commit(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer(held_seconds=PATIENCE)
    _, lane = claim_one()

    hold(writer, lane, step("START"))
    checkpoint(writer, lane, step("SUCCEED", payload="1"))

    assert writer.flushes == 1
    types = list(Event.objects.filter(execution_id=lane.execution_id).order_by("event_id").values_list("type", flat=True))
    assert types == ["ExecutionStarted", "StepStarted", "StepSucceeded"]
    times = list(Event.objects.filter(execution_id=lane.execution_id).order_by("event_id").values_list("at", flat=True))
    assert times == sorted(times)


def test_news_is_merged_before_the_caller_goes_on(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback())
    callbacks.succeed_callback(callback_id(lane), "yes")

    checkpoint(writer, lane, step("START"))

    assert lane.operations["c1"].payload == "yes"
    assert lane.told_seq == lane.wake_seq == 1


def test_suspend_against_wake_owes_an_invocation_at_once(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """The callback is answered after the handler's last look: the suspension itself compares wake_seq."""
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback())
    callbacks.succeed_callback(callback_id(lane), "yes")

    close(writer, lane, suspend(lane))

    row = Execution.objects.get(id=lane.execution_id)
    assert row.claim_id is None and row.due_at is not None and row.due_at <= row.last_event_at + timedelta(seconds=1)
    assert (row.wake_seq, row.told_seq) == (1, 0)
    claim, again = claim_one(lane.execution_id)
    assert again.operations["c1"].status == "SUCCEEDED" and claim.told_seq != again.wake_seq


def test_an_answer_to_a_held_flush_tells_nobody(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """Nobody waited for it: the handler may have looked before the merge, so what it brought stays owed."""
    writer = make_writer(held_seconds=0.01)
    _, lane = claim_one()
    checkpoint(writer, lane, callback())
    told = lane.told_seq
    callbacks.succeed_callback(callback_id(lane), "yes")
    hold(writer, lane, step("START"))
    wait_until(Operation.objects.filter(execution_id=lane.execution_id, id="s1").exists)
    time.sleep(0.05)

    assert lane.told_seq == told
    close(writer, lane, suspend(lane))
    assert Execution.objects.get(id=lane.execution_id).due_at is not None


def test_a_suspension_is_due_at_its_nearest_timer(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    with lane.lock:
        lane.told_seq = lane.wake_seq
    checkpoint(writer, lane, wait("w1", 60))
    checkpoint(writer, lane, callback("c1", timeout=30))

    close(writer, lane, suspend(lane, due_at=lane.nearest_timer()))

    row = Execution.objects.get(id=lane.execution_id)
    timers = dict(Operation.objects.filter(execution_id=lane.execution_id).values_list("id", "due_at"))
    assert row.due_at == timers["c1"] < timers["w1"]


def test_a_timer_fires_only_over_what_is_known(claim_one: Claimed, make_writer: Callable[..., Any], connection: Any) -> None:
    """The callback was answered in the same instant as its time ran out here: the answer won, and the timer must see that."""
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback("c1", timeout=60), wait("w1", 1))
    callbacks.succeed_callback(callback_id(lane), "in time")

    entry = lane.fire_due(lane.clock.now() + timedelta(seconds=90))
    assert entry is not None and len(entry.moves) == 2
    writer.submit(lane)
    entry.wait()

    found = dict(Operation.objects.filter(execution_id=lane.execution_id).values_list("id", "status"))
    assert found == {"c1": "SUCCEEDED", "w1": "SUCCEEDED"}
    types = list(Event.objects.filter(execution_id=lane.execution_id).order_by("event_id").values_list("type", flat=True))
    assert types.count("CallbackTimedOut") == 0 and types.count("WaitSucceeded") == 1


def test_a_timer_fires_once_whoever_asks(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, wait("w1", 1))
    later = lane.clock.now() + timedelta(seconds=2)

    first, second = lane.fire_due(later), lane.fire_due(later)

    assert first is second
    writer.submit(lane)
    first.wait()
    assert lane.fire_due(later) is None


def test_heartbeats_wake_nobody_and_move_the_timer(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback("c1", timeout=3600, heartbeat=60))
    before = Operation.objects.get(execution_id=lane.execution_id)
    time.sleep(0.01)

    callbacks.heartbeat_callback(callback_id(lane))

    after = Operation.objects.get(execution_id=lane.execution_id)
    assert before.due_at is not None and after.due_at is not None and after.due_at > before.due_at
    assert Execution.objects.get(id=lane.execution_id).wake_seq == 0
    assert not Event.objects.filter(execution_id=lane.execution_id, type__contains="eart").exists()


def test_a_running_invocation_does_not_time_out_a_beating_callback(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """A heartbeat raises no wake_seq, so memory does not know of it: the row decides, and memory learns from it."""
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback("c1", heartbeat=60))
    due_at = lane.operations["c1"].due_at
    time.sleep(0.02)
    callbacks.heartbeat_callback(callback_id(lane))

    entry = lane.fire_due(due_at)
    assert entry is not None
    writer.submit(lane)
    entry.wait()

    assert Operation.objects.get(execution_id=lane.execution_id).status == "STARTED"
    assert lane.operations["c1"].due_at > due_at and lane.fire_due(due_at) is None
    late = lane.fire_due(lane.operations["c1"].due_at)
    writer.submit(lane)
    late.wait()
    assert Operation.objects.get(execution_id=lane.execution_id).status == "TIMED_OUT"
    assert lane.operations["c1"].status == "TIMED_OUT" and lane.wake_seq == 1


def test_a_waiter_is_told_of_a_buffered_signal_at_once(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    signals.send_signal(lane.execution_id, "review", '"early"')

    checkpoint(writer, lane, signal("c1", "review"))

    assert (lane.operations["c1"].status, lane.operations["c1"].payload) == ("SUCCEEDED", '"early"')
    assert lane.told_seq == lane.wake_seq == Execution.objects.get(id=lane.execution_id).wake_seq


def test_the_first_answer_wins_and_the_second_is_told(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    checkpoint(writer, lane, callback())
    callbacks.succeed_callback(callback_id(lane), "first")

    for late in (lambda: callbacks.succeed_callback(callback_id(lane), "second"), lambda: callbacks.heartbeat_callback(callback_id(lane))):
        try:
            late()
        except CallbackCompletedError as error:
            assert error.facts["callback_status"] == "SUCCEEDED"
        else:
            raise AssertionError("the second answer was accepted")
    assert Operation.objects.get(execution_id=lane.execution_id).payload == "first"
