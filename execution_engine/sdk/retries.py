"""When a failed step is tried again: `(error, attempts made so far) -> RetryDecision`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from execution_engine.sdk.delays import DelayBounds, JitterStrategy, exponential
from execution_engine.sdk.durations import Duration, DurationLike, as_duration, to_seconds
from execution_engine.sdk.errors import ValidationError


@dataclass
class RetryDecision:
    should_retry: bool
    delay: Duration

    @property
    def delay_seconds(self) -> int:
        return self.delay.to_seconds()

    @classmethod
    def retry(cls, delay: DurationLike) -> "RetryDecision":
        return cls(should_retry=True, delay=as_duration(delay, "delay"))

    @classmethod
    def no_retry(cls) -> "RetryDecision":
        return cls(should_retry=False, delay=Duration())


RetryStrategy = Callable[[Exception, int], RetryDecision]


@dataclass
class RetryStrategyConfig(DelayBounds):
    """Exponential: initial x rate^(attempts - 1), at most `max_delay`. `max_attempts` includes the first attempt.

    Either filter makes an error retryable: a text contained in (or a pattern found in) its message, or its type.
    """

    max_attempts: int = 3
    initial_delay: Duration = field(default_factory=lambda: Duration.from_seconds(5))
    max_delay: Duration = field(default_factory=lambda: Duration.from_minutes(5))
    backoff_rate: float = 2.0
    jitter_strategy: JitterStrategy = JitterStrategy.FULL
    retryable_errors: Sequence[str | re.Pattern[str]] | None = None
    retryable_error_types: Sequence[type[Exception]] | None = None

    def base_delay(self, attempts_made: int) -> float:
        return exponential(self.initial_delay.seconds, self.backoff_rate, attempts_made, self.max_delay.seconds)


@dataclass
class LinearRetryStrategyConfig(DelayBounds):
    """Linear: initial + increment x (attempts - 1), at most `max_delay`; else as `RetryStrategyConfig`."""

    max_attempts: int = 6
    initial_delay: Duration = field(default_factory=lambda: Duration.from_seconds(1))
    increment: Duration = field(default_factory=lambda: Duration.from_seconds(1))
    max_delay: Duration = field(default_factory=lambda: Duration.from_minutes(5))
    jitter_strategy: JitterStrategy = JitterStrategy.FULL
    retryable_errors: Sequence[str | re.Pattern[str]] | None = None
    retryable_error_types: Sequence[type[Exception]] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.increment = as_duration(self.increment, "increment")

    @property
    def increment_seconds(self) -> int:
        return self.increment.to_seconds()

    def base_delay(self, attempts_made: int) -> float:
        return min(self.initial_delay.seconds + self.increment.seconds * (attempts_made - 1), self.max_delay.seconds)


def create_retry_strategy(config: RetryStrategyConfig | None = None) -> RetryStrategy:
    return _strategy(config or RetryStrategyConfig())


def create_linear_retry_strategy(config: LinearRetryStrategyConfig | None = None) -> RetryStrategy:
    return _strategy(config or LinearRetryStrategyConfig())


def _strategy(config: RetryStrategyConfig | LinearRetryStrategyConfig) -> RetryStrategy:
    def decide(error: Exception, attempts_made: int) -> RetryDecision:
        if attempts_made >= config.max_attempts or not _is_retryable(error, config):
            return RetryDecision.no_retry()
        return RetryDecision.retry(Duration(config.jitter_strategy.finalize_delay(config.base_delay(attempts_made))))

    return decide


def _is_retryable(error: Exception, config: RetryStrategyConfig | LinearRetryStrategyConfig) -> bool:
    if config.retryable_errors is None and config.retryable_error_types is None:
        return True
    if isinstance(error, tuple(config.retryable_error_types or ())):
        return True
    message = str(error)
    return any(
        pattern.search(message) is not None if isinstance(pattern, re.Pattern) else pattern in message
        for pattern in config.retryable_errors or ()
    )


class RetryPresets:
    """Ready-made strategies; `default` is used by steps and submitters that name none."""

    @classmethod
    def none(cls) -> RetryStrategy:
        return create_retry_strategy(RetryStrategyConfig(max_attempts=1))

    @classmethod
    def default(cls) -> RetryStrategy:
        """6 attempts, 5 s doubling to 60 s, full jitter."""
        return create_retry_strategy(RetryStrategyConfig(max_attempts=6, max_delay=Duration.from_minutes(1)))

    @classmethod
    def transient(cls) -> RetryStrategy:
        """3 attempts, 5 s doubling, half jitter."""
        return create_retry_strategy(RetryStrategyConfig(jitter_strategy=JitterStrategy.HALF))

    @classmethod
    def resource_availability(cls) -> RetryStrategy:
        """5 attempts, 5 s doubling to 5 minutes, full jitter."""
        return create_retry_strategy(RetryStrategyConfig(max_attempts=5))

    @classmethod
    def critical(cls) -> RetryStrategy:
        """10 attempts, 1 s growing by half to 60 s, no jitter."""
        return create_retry_strategy(RetryStrategyConfig(10, Duration(1), Duration.from_minutes(1), 1.5, JitterStrategy.NONE))

    @classmethod
    def linear(cls) -> RetryStrategy:
        """6 attempts after 1, 2, 3, 4 and 5 s."""
        return create_linear_retry_strategy(LinearRetryStrategyConfig(jitter_strategy=JitterStrategy.NONE))

    @classmethod
    def fixed(cls, interval: DurationLike | None = None) -> RetryStrategy:
        """5 attempts, always `interval` apart (5 s)."""
        delay = Duration(5) if interval is None else as_duration(interval, "interval")
        return create_retry_strategy(RetryStrategyConfig(5, delay, delay, 1, JitterStrategy.NONE))


@dataclass(frozen=True)
class RetryPolicy:
    """Ours, for `step(..., retry=...)`: exponential without jitter unless one is given.

    `max_attempts` includes the first attempt. `non_retryable` lists exception types (subclasses count) or type names,
    bare or fully qualified. Raises `ValidationError` when built with `max_attempts` below 1 or `backoff` below 1.
    """

    max_attempts: int = 3
    initial_interval: DurationLike = 1
    backoff: float = 2.0
    max_interval: DurationLike = 300
    non_retryable: Sequence[type[BaseException] | str] = ()
    jitter: JitterStrategy = JitterStrategy.NONE

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ValidationError(f"RetryPolicy.max_attempts must be at least 1, got {self.max_attempts}")
        if self.backoff < 1:
            raise ValidationError(f"RetryPolicy.backoff must be at least 1, got {self.backoff}")
        to_seconds(self.initial_interval, "RetryPolicy.initial_interval")
        to_seconds(self.max_interval, "RetryPolicy.max_interval")

    def __call__(self, error: Exception, attempts_made: int) -> RetryDecision:
        if attempts_made >= self.max_attempts or self._is_final(error):
            return RetryDecision.no_retry()
        initial = to_seconds(self.initial_interval)
        delay = exponential(initial, self.backoff, attempts_made, to_seconds(self.max_interval))
        return RetryDecision.retry(Duration(self.jitter.finalize_delay(delay)))

    def _is_final(self, error: BaseException) -> bool:
        names = {name for kind in type(error).__mro__ for name in (kind.__qualname__, f"{kind.__module__}.{kind.__qualname__}")}
        return any(entry in names if isinstance(entry, str) else isinstance(error, entry) for entry in self.non_retryable)


def as_strategy(retry: Any) -> RetryStrategy:
    """What `retry=` takes: a policy, a strategy function, or a preset, called or not.

    Raises `ValidationError` for anything else.
    """
    if not callable(retry):
        raise ValidationError(f"retry must be a RetryPolicy, a strategy function or a preset, got {retry!r}")
    strategy: RetryStrategy = retry() if getattr(retry, "__self__", None) is RetryPresets else retry
    return strategy


def decide(strategy: RetryStrategy, error: Exception, attempts_made: int, what: str) -> RetryDecision:
    """The strategy's decision on `what`. Raises `ValidationError` when it answers anything else."""
    decision = strategy(error, attempts_made)
    if not hasattr(decision, "should_retry"):
        raise ValidationError(
            f"the retry strategy of {what} answered {decision!r}; it has to answer RetryDecision.retry(delay) or RetryDecision.no_retry()"
        )
    return decision


DEFAULT_RETRY = RetryPresets.default()
