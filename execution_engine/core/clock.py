"""Where Python may ask for the time: to measure how long ago something was, never to decide."""

import time
from datetime import UTC, datetime, timedelta


class DatabaseClock:
    """The database's clock, carried on by this process's monotonic clock between two answers of the database.

    SQL decides with its own clock; this estimate only says how long before a flush a held START happened.
    """

    def __init__(self) -> None:
        self._base = datetime.now(UTC)
        self._at = time.monotonic()

    def set(self, now: datetime) -> None:
        """Takes over the time that the database just answered."""
        self._base, self._at = now, time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._at)
