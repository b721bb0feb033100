"""Who goes when a limited function takes its turn."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from execution_engine.core.turns import QUEUE_LOOK, START_LINE, Room, Waiting, choose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def waiting(number: int, key: str | None, line: str | None = None) -> Waiting:
    return Waiting(UUID(int=number), NOON + timedelta(seconds=number), key, is_new=True, line=line)


@pytest.mark.parametrize(
    ("room", "look"),
    [(Room(free=2), 2), (Room(free=2, starts=1), 1), (Room(free=2, per_key=1), QUEUE_LOOK), (Room(free=2, per_key=1, starts=0), 0)],
)
def test_the_line_of_starts_is_looked_through_while_some_of_it_belong_to_a_key(room: Room, look: int) -> None:
    assert room.start_look == look


def test_the_first_of_each_key_goes_before_the_second_of_any() -> None:
    choice = choose(Room(free=2, per_key=2), [waiting(1, "a"), waiting(2, "a"), waiting(3, "b")])
    assert choice.taken == (UUID(int=1), UUID(int=3))


def test_whoever_fits_nowhere_leaves_for_the_line_of_its_key() -> None:
    choice = choose(Room(free=5, per_key=1, held={"a": 1}), [waiting(1, "a", START_LINE), waiting(2, None), waiting(3, "a", "a")])
    assert (choice.taken, choice.parked) == ((UUID(int=2),), ((UUID(int=1), "a"),))


def test_later_starts_wait_in_the_line_of_starts() -> None:
    choice = choose(Room(free=5, starts=1), [waiting(1, "a"), waiting(2, "b"), waiting(3, None, START_LINE)])
    assert (choice.taken, choice.parked) == ((UUID(int=1),), ((UUID(int=2), START_LINE),))
