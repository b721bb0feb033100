"""The one place where Python asks for the time: to measure how long ago something was, never to decide what is due."""

import time
from datetime import UTC, datetime, timedelta
from threading import Lock

# A database's clock that was set back further than this is followed.
MAX_STEP_BACK = timedelta(seconds=1)


class DatabaseClock:
    """The database's clock, carried on by this process's monotonic clock between two answers of the database.

    SQL decides by its own clock; this estimate only says how long before a flush something happened. When the database's answer turns out
    to be behind the estimate, the clock stands still rather than going back, so that what is queued first never gets the later time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._base = self._latest = datetime.now(UTC)
        self._at = time.monotonic()

    def set(self, now: datetime) -> None:
        """Takes over the time that the database just answered."""
        with self._lock:
            self._base, self._at = now, time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            found = self._base + timedelta(seconds=time.monotonic() - self._at)
            if not found < self._latest <= found + MAX_STEP_BACK:
                self._latest = found
            return self._latest
