"""Whose output it is when author code prints or logs: the context's or the step's that runs on this thread."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple


def _never() -> bool:
    return False


class Speaker(NamedTuple):
    """`operation_id` is None for the handler itself. While `is_replaying()`, an earlier invocation has printed the same before."""

    operation_id: str | None = None
    attempt: int | None = None
    is_replaying: Callable[[], bool] = _never


speaker: ContextVar[Speaker | None] = ContextVar("durable_speaker", default=None)
