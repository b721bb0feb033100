"""The present that SQL is given. None in production: the database's own clock decides; the testing kit gives its virtual one."""

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
    """While it is open, statements of this thread happen at `clock()`, UTC."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)
