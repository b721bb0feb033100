"""Delays between attempts, of retries and of polls: how they grow, their bounds, how they are spread."""

import math
import random
from enum import StrEnum

from execution_engine.sdk.durations import Duration, as_duration


class JitterStrategy(StrEnum):
    """How a delay is spread: NONE keeps it, FULL takes 0 to the delay, HALF takes half the delay to all of it."""

    NONE = "NONE"
    FULL = "FULL"
    HALF = "HALF"

    def apply_jitter(self, delay: float) -> float:
        if self is JitterStrategy.NONE:
            return delay
        share = random.random()
        return delay * share if self is JitterStrategy.FULL else delay / 2 + delay / 2 * share

    def finalize_delay(self, base_delay: float) -> int:
        """The spread delay in whole seconds, rounded up, at least 1."""
        return max(1, math.ceil(self.apply_jitter(base_delay)))


def exponential(initial: float, rate: float, attempts_made: int, ceiling: float) -> float:
    """Seconds before the next attempt: initial x rate^(attempts made - 1), at most `ceiling`."""
    try:
        return min(initial * rate ** (attempts_made - 1), ceiling)
    except OverflowError:
        return ceiling


class DelayBounds:
    """Base of the configurations of strategies, which are dataclasses with these two fields: both take any spelling of a duration."""

    initial_delay: Duration
    max_delay: Duration

    def __post_init__(self) -> None:
        self.initial_delay = as_duration(self.initial_delay, "initial_delay")
        self.max_delay = as_duration(self.max_delay, "max_delay")

    @property
    def initial_delay_seconds(self) -> int:
        return self.initial_delay.to_seconds()

    @property
    def max_delay_seconds(self) -> int:
        return self.max_delay.to_seconds()
