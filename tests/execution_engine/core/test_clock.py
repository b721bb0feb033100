"""The estimate of the database's time: it follows the database and never goes back."""

from datetime import UTC, datetime, timedelta

import pytest

from execution_engine.core.clock import DatabaseClock

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_clock_that_was_set_is_followed(by: timedelta) -> None:
    clock = DatabaseClock()
    wanted = datetime.now(UTC) + by
    clock.set(wanted)
    assert wanted <= clock.now() < wanted + timedelta(minutes=1)


def test_a_late_answer_does_not_turn_the_clock_back() -> None:
    clock = DatabaseClock()
    for late in (0.02, 0.4, 0.001):
        before = clock.now()
        clock.set(before - timedelta(seconds=late))
        assert clock.now() >= before
    ahead = clock.now() + timedelta(seconds=5)
    clock.set(ahead)
    assert clock.now() >= ahead
