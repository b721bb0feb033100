"""The one clock of the testing kit: it stands still until somebody moves it."""

from datetime import UTC, datetime, timedelta

from execution_engine.core.clock import DatabaseClock


class VirtualClock(DatabaseClock):
    """UTC time for waits, retries, time-outs, heartbeats and every timestamp of the history."""

    def __init__(self, start_at: datetime | None = None) -> None:
        if start_at is not None and start_at.tzinfo is None:
            raise ValueError("start_at needs a time zone")
        self._now = start_at or datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """The database answers the time that it was given; nothing else moves this clock."""

    def advance(self, seconds: float) -> None:
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, moment: datetime) -> None:
        """Never backwards: an earlier moment leaves the clock where it is."""
        self._now = max(self._now, moment)
