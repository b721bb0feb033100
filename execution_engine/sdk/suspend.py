"""How an invocation stops to wait: an exception unwinds its thread, and nothing of it stays in memory."""

import time
from collections.abc import Iterable
from datetime import datetime

from execution_engine.core.errors import InvocationInterrupt


class SuspendExecution(InvocationInterrupt):
    """Unwinds author code until something happens outside. The invocation then answers PENDING.

    `awaited` are the ids of the operations that are waited for; any of them may let the code go on.
    """

    awaited: frozenset[str] = frozenset()


class TimedSuspendExecution(SuspendExecution):
    """Suspends until a known moment; `scheduled_timestamp` is in unix seconds."""

    def __init__(self, message: str, scheduled_timestamp: float) -> None:
        super().__init__(message)
        self.scheduled_timestamp = scheduled_timestamp

    @classmethod
    def from_delay(cls, message: str, delay_seconds: int) -> "TimedSuspendExecution":
        return cls(message, time.time() + delay_seconds)

    @classmethod
    def from_datetime(cls, message: str, datetime_timestamp: datetime) -> "TimedSuspendExecution":
        return cls(message, datetime_timestamp.timestamp())


def suspension(message: str, resume_at: datetime | None, awaited: Iterable[str]) -> SuspendExecution:
    """The exception to raise in a thread that has to wait until `resume_at`, or until an outsider acts when that is None."""
    raised = SuspendExecution(message) if resume_at is None else TimedSuspendExecution.from_datetime(message, resume_at)
    raised.awaited = frozenset(awaited)
    return raised
