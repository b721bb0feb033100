"""Durations as authors spell them, in whole seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from execution_engine.sdk.errors import ValidationError

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
MAX_WAIT_SECONDS = 31_622_400  # 366 days, AWS's bound of waits, delays and execution timeouts
MAX_CALLBACK_SECONDS = 99_999_999  # AWS's bound of callback timeouts


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole seconds; the `from_*` methods drop fractions."""

    seconds: int = 0

    def __post_init__(self) -> None:
        if self.seconds < 0:
            raise ValidationError(f"a Duration cannot be negative, got {self.seconds} seconds")
        if type(self.seconds) is not int:
            object.__setattr__(self, "seconds", int(self.seconds))

    def to_seconds(self) -> int:
        return self.seconds

    @classmethod
    def from_seconds(cls, value: float) -> "Duration":
        return cls(int(value))

    @classmethod
    def from_minutes(cls, value: float) -> "Duration":
        return cls(int(value * 60))

    @classmethod
    def from_hours(cls, value: float) -> "Duration":
        return cls(int(value * 3600))

    @classmethod
    def from_days(cls, value: float) -> "Duration":
        return cls(int(value * 86_400))


DurationLike = Duration | timedelta | int | float | Mapping[str, float]


def to_seconds(value: Any, what: str = "duration") -> int:
    """Whole seconds of a `Duration`, a `timedelta`, a number of seconds or `{"hours": 72}`.

    Raises `ValidationError` naming `what` for anything else and for negative values.
    """
    if isinstance(value, Duration):
        return value.seconds
    if isinstance(value, timedelta):
        seconds: float = value.total_seconds()
    elif isinstance(value, Mapping):
        unknown = sorted(set(map(str, value)) - set(_UNITS))
        if unknown or not value:
            raise ValidationError(f"{what} knows {', '.join(_UNITS)}; got {', '.join(unknown) or 'nothing'}")
        seconds = sum(amount * _UNITS[unit] for unit, amount in value.items())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    else:
        raise ValidationError(f"{what} must be a Duration, a timedelta, seconds or a dict such as {{'hours': 72}}, got {value!r}")
    if not 0 <= seconds < float("inf"):
        raise ValidationError(f"{what} must be finite and not negative, got {value!r}")
    return int(seconds)


def bounded_seconds(value: Any, what: str, *, low: int, high: int) -> int:
    """`to_seconds`, refused outside `low` to `high` with the limit and the value in the text."""
    seconds = to_seconds(value, what)
    if not low <= seconds <= high:
        unit = "second" if low == 1 else "seconds"
        raise ValidationError(f"{what} must be at least {low} {unit} and at most {high} seconds, got {seconds}")
    return seconds


def as_duration(value: Any, what: str = "duration") -> Duration:
    return value if isinstance(value, Duration) else Duration(to_seconds(value, what))
