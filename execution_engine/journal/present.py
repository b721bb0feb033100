"""The time that statements are given. None in production, where the database's clock decides; the testing kit gives its virtual time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

_clock: ContextVar[Callable[[], datetime] | None] = ContextVar("durable_virtual_clock", default=None)


def present() -> datetime | None:
    clock = _clock.get()
    return None if clock is None else clock()


@contextmanager
def virtual_time(clock: Callable[[], datetime]) -> Iterator[None]:
    """Within it, statements of this thread happen at `clock()`, UTC."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)
