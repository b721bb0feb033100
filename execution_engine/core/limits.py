"""The limits that people may set for a function, their bounds, and the arithmetic of the rate of starts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from execution_engine.core.attributes import MAX_PRIORITY
from execution_engine.core.errors import InvalidInputError

MAX_CONCURRENCY = 100_000
MAX_SECONDS = 86_400

_BOUNDS = {
    "concurrency": (1, MAX_CONCURRENCY),
    "per_key": (1, MAX_CONCURRENCY),
    "starts": (1, MAX_CONCURRENCY),
    "seconds": (1, MAX_SECONDS),
    "burst": (1, MAX_CONCURRENCY),
    "priority": (0, MAX_PRIORITY),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one function, over all its versions; None means no limit.

    At most `concurrency` claims at a time, `per_key` of them for one concurrency key, and `starts` first invocations in `seconds`; after a
    quiet time `burst` of these may begin at once. `priority` is a head start in the queue, in seconds, for executions started without one.
    """

    concurrency: int | None = None
    per_key: int | None = None
    starts: int | None = None
    seconds: int = 1
    burst: int = 1
    priority: int = 0

    @property
    def is_any(self) -> bool:
        return not (self.concurrency is None and self.per_key is None and self.starts is None)

    def starts_left(self, tokens: float, since: datetime, now: datetime) -> int | None:
        """How many may begin `now`, given a bucket that held `tokens` at `since`; None without a rate. `claim_limited` computes it in
        SQL."""
        if self.starts is None:
            return None
        return int(min(self.burst, tokens + (now - since).total_seconds() * self.starts / self.seconds))

    def start_due_at(self, tokens: float, since: datetime, rank: int = 1) -> datetime | None:
        """When the `rank`-th of the waiting ones may begin, as far as the rate is concerned; None without a rate."""
        if self.starts is None:
            return None
        return since + timedelta(seconds=max(0.0, rank - tokens) * self.seconds / self.starts)

    def check(self) -> None:
        """Raises `InvalidInputError`, which names the limit, its bounds and the value."""
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidInputError(f"{name} is from {low} to {high}, got {value}", field=name, limit=high, value=value)
