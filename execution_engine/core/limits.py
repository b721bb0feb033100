"""What people may set as the limits of a function."""

from dataclasses import dataclass

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
    """Of one function, over all its versions; None is no limit. `starts` first invocations per `seconds`, `burst` of them at once after
    a quiet time; `priority` is the head start in the queue, in seconds, of a start that names none."""

    concurrency: int | None = None
    per_key: int | None = None
    starts: int | None = None
    seconds: int = 1
    burst: int = 1
    priority: int = 0

    @property
    def is_any(self) -> bool:
        return not (self.concurrency is None and self.per_key is None and self.starts is None)

    def check(self) -> None:
        """Raises `InvalidInputError`, which names the limit, its bounds and the value."""
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InvalidInputError(f"{name} is from {low} to {high}, got {value}", field=name, limit=high, value=value)
