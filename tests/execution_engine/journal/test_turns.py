"""DESIGN 3.16: an atomic step has its execution's queue for itself until COMMIT or rollback."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import OperationRecord
from execution_engine.journal.flush import Accepted, Batch
from execution_engine.journal.lane import Entry, Release
from execution_engine.journal.writer import Writer, finish
from execution_engine.models import Execution, Operation
from tests.execution_engine.journal.moves import checkpoint, hold, step
from tests.waiting import PATIENCE

Claimed = Callable[..., Any]


def written(lane: Any) -> set[str]:
    return set(Operation.objects.filter(execution_id=lane.execution_id).values_list("id", flat=True))


def test_what_was_queued_before_the_turn_is_written_first(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:
    writer = make_writer(held_seconds=60)
    _, lane = claim_one()
    hold(writer, lane, step("START"))

    writer.take_turn(lane)

    assert written(lane) == {"s1"}


def test_what_comes_during_the_turn_waits_for_its_end(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    writer.take_turn(lane)
    other = threading.Thread(target=checkpoint, args=(writer, lane, step("START", "s2")))
    other.start()
    other.join(0.2)
    assert other.is_alive() and written(lane) == set()

    writer.end_turn(lane)
    other.join(PATIENCE)

    assert written(lane) == {"s2"}


def test_two_atomic_steps_take_turns(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    writer.take_turn(lane)
    second = threading.Thread(target=writer.take_turn, args=(lane,))
    second.start()
    second.join(0.2)
    assert second.is_alive()

    writer.end_turn(lane)
    second.join(PATIENCE)

    assert not second.is_alive() and lane.turn is not None


def test_a_hung_atomic_step_does_not_keep_the_claim(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:
    """Its invocation timeout gives the claim back past the turn; the step is refused when it comes to its commit."""
    writer = make_writer()
    _, lane = claim_one()
    writer.take_turn(lane)

    release = lane.close(Entry([], lane.clock.now(), release=Release(is_owed=True, due_at=lane.clock.now())))
    writer.submit(lane)
    release.wait()

    assert Execution.objects.get(id=lane.execution_id).claim_id is None
    with pytest.raises(ClaimLostError):
        lane.apply((step("START"),))


def test_a_claim_lost_during_the_turn_ends_it(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:
    writer = make_writer()
    _, lane = claim_one()
    turn = writer.take_turn(lane)

    lane.lose()
    writer.end_turn(lane)

    with pytest.raises(ClaimLostError):
        turn.wait()


def test_an_answer_for_a_lost_lane_changes_nothing(claim_one: Claimed) -> None:
    """The renewer saw the claim gone while its own release was being answered: nobody may be told twice."""
    _, lane = claim_one()
    entry = lane.close(Entry([], lane.clock.now(), release=Release()))
    lane.queue.clear()
    lane.under_way = (entry,)
    lane.lose()
    changed: dict[str, OperationRecord] = {}

    finish(Batch(lane, (entry,), {}), Accepted(0, "RUNNING", None), changed, 0)

    with pytest.raises(ClaimLostError):
        entry.wait()
    assert lane.lost and not lane.released
