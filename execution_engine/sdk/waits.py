"""Strategies of `wait_for_condition`: `(state, attempts made so far) -> WaitForConditionDecision`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from execution_engine.core.serdes import SerDes
from execution_engine.sdk.delays import DelayBounds, JitterStrategy, exponential
from execution_engine.sdk.durations import Duration, DurationLike, as_duration
from execution_engine.sdk.errors import WaitForConditionError

T = TypeVar("T")


@dataclass
class WaitStrategyConfig(DelayBounds, Generic[T]):
    """Polls while `should_continue_polling(state)` is true, at most `max_attempts` times; delays as in `RetryStrategyConfig`."""

    should_continue_polling: Callable[[T], bool]
    max_attempts: int = 60
    initial_delay: Duration = field(default_factory=lambda: Duration.from_seconds(5))
    max_delay: Duration = field(default_factory=lambda: Duration.from_minutes(5))
    backoff_rate: float = 1.5
    jitter_strategy: JitterStrategy = JitterStrategy.FULL


@dataclass(frozen=True)
class WaitForConditionDecision:
    """Whether to check again, and after how long."""

    should_continue: bool
    delay: Duration

    @property
    def delay_seconds(self) -> int:
        return self.delay.to_seconds()

    @classmethod
    def continue_waiting(cls, delay: DurationLike) -> "WaitForConditionDecision":
        return cls(should_continue=True, delay=as_duration(delay, "delay"))

    @classmethod
    def stop_polling(cls) -> "WaitForConditionDecision":
        return cls(should_continue=False, delay=Duration())


WaitStrategy = Callable[[T, int], WaitForConditionDecision]


def create_wait_strategy(config: WaitStrategyConfig[T]) -> WaitStrategy[T]:
    """The strategy of a configuration.

    It stops when the condition is met, also at the last attempt. It raises `WaitForConditionError` after `max_attempts`, so that a state
    which does not meet the condition is never returned.
    """

    def decide(state: T, attempts_made: int) -> WaitForConditionDecision:
        if not config.should_continue_polling(state):
            return WaitForConditionDecision.stop_polling()
        if attempts_made >= config.max_attempts:
            raise WaitForConditionError(f"the condition was not met in {config.max_attempts} attempts")
        delay = exponential(config.initial_delay.seconds, config.backoff_rate, attempts_made, config.max_delay.seconds)
        return WaitForConditionDecision.continue_waiting(Duration(config.jitter_strategy.finalize_delay(delay)))

    return decide


@dataclass(frozen=True)
class WaitForConditionConfig(Generic[T]):
    """`initial_state` is what the first check gets, after a round trip through `serdes` like every later state."""

    wait_strategy: WaitStrategy[T]
    initial_state: T
    serdes: SerDes[T] | None = None
