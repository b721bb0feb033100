"""Waiting in tests: until something is so, never for a time."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds after which a test gives up what should come. It ends a run that hangs and measures nothing: no busy machine comes near it.
PATIENCE = 300.0


def wait_until(find: Callable[[], T], about: Callable[[], Any] = lambda: "") -> T:
    """The first answer of `find` that is true. Raises `AssertionError` with what `about` answers when none comes."""
    found = _look(find)
    assert found, f"after {PATIENCE:g} s it still has not come: {about()}"
    return found


def comes(find: Callable[[], Any]) -> bool:
    """Whether it comes at all: for a test that has more to say than that it did not."""
    return bool(_look(find))


def _look(find: Callable[[], T]) -> T:
    ends, pause = time.monotonic() + PATIENCE, 0.01
    while not (found := find()) and time.monotonic() < ends:
        time.sleep(pause)
        pause = min(pause * 1.2, 0.1)
    return found
