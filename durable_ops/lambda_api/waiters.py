"""Callers who wait for the end of an execution: one thread and one query for all of them in this process.

Ends are not rung (most have nobody waiting), so the thread looks: often while somebody came a moment ago, then ever less often. A
caller in turn only waits for an event; its thread's database connection is given back meanwhile.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from execution_engine.selectors.aws_executions import Outcome, read_outcomes

logger = logging.getLogger(__name__)
SHORTEST_LOOK_SECONDS = 0.005
LONGEST_LOOK_SECONDS = 0.25
RECONNECT_SECONDS = 1.0
# A waiter of this age is looked for at a twentieth of it, within the bounds above: no end is told later than 5 % of its wait.
LOOKS_PER_AGE = 20


@dataclass(eq=False, slots=True)
class Waiter:
    """One waiting caller; has its place before it has an execution to wait for. `outcome` is set before `ended`."""

    since: float
    execution_id: UUID | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None


class Waiters:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: set[Waiter] = set()
        self._lock = threading.Lock()
        self._come = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self) -> Waiter | None:
        """A place among the waiting, None when all are taken. Whoever joins must `leave`."""
        with self._lock:
            if len(self._waiting) >= self.limit:
                return None
            waiter = Waiter(time.monotonic())
            self._waiting.add(waiter)
        return waiter

    def look_for(self, waiter: Waiter, execution_id: UUID) -> None:
        """From now on `waiter.ended` is set when this execution has ended."""
        with self._lock:
            waiter.execution_id, waiter.since = execution_id, time.monotonic()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="lambda-waiters", daemon=True)
                self._thread.start()
        self._come.set()

    def leave(self, waiter: Waiter) -> None:
        with self._lock:
            self._waiting.discard(waiter)

    def _look(self) -> None:
        while True:
            with self._lock:
                waiting = [waiter for waiter in self._waiting if waiter.execution_id is not None and not waiter.ended.is_set()]
            if not waiting:
                connection.close()
                self._come.wait()
                self._come.clear()
                continue
            try:
                self._tell(waiting)
                pause = self._pause(waiting)
            except Error as error:
                logger.warning("cannot see whether executions ended, trying again: %s", error)
                connection.close()
                pause = RECONNECT_SECONDS
            if self._come.wait(pause):
                self._come.clear()

    def _tell(self, waiting: list[Waiter]) -> None:
        found = read_outcomes([waiter.execution_id for waiter in waiting if waiter.execution_id is not None])
        for waiter in waiting:
            if waiter.execution_id in found:
                waiter.outcome = found[waiter.execution_id]
                waiter.ended.set()

    def _pause(self, waiting: list[Waiter]) -> float:
        youngest = time.monotonic() - max(waiter.since for waiter in waiting)
        return min(max(youngest / LOOKS_PER_AGE, SHORTEST_LOOK_SECONDS), LONGEST_LOOK_SECONDS)


@cache
def process_waiters() -> Waiters:
    """Those of this process; threads do not survive a fork, and the first caller comes after it."""
    return Waiters(settings.LAMBDA_WAITERS)
