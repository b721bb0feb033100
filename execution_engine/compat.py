"""The call shape of many articles, for code that was written in it: `DurableContext(context)` around our context.

So this runs:

    ctx = DurableContext(context)
    order = ctx.step(name="load", fn=lambda: load(event), retry_config={"max_attempts": 5, "initial_interval_seconds": 2})
    review = ctx.wait("fraud-review", timeout={"hours": 72}, on_timeout="reject")
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from execution_engine.sdk import context as sdk
from execution_engine.sdk.durations import DurationLike
from execution_engine.sdk.errors import StepError, ValidationError
from execution_engine.sdk.registry import durable_execution
from execution_engine.sdk.retries import RetryPolicy
from execution_engine.sdk.types import SignalResult

__all__ = ["DurableContext", "StepError", "durable_execution"]

T = TypeVar("T")
_RETRY_KEYS = {
    "max_attempts": "max_attempts",
    "initial_interval_seconds": "initial_interval",
    "backoff_coefficient": "backoff",
    "max_interval_seconds": "max_interval",
    "non_retryable_errors": "non_retryable",
}


class DurableContext:
    """Hands every call to the wrapped context; what it does not know itself is looked up there."""

    def __init__(self, context: "sdk.DurableContext | DurableContext") -> None:
        self._context: sdk.DurableContext = context._context if isinstance(context, DurableContext) else context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    @property
    def execution_id(self) -> str:
        return self._context.execution_id

    @property
    def last_step_duration_ms(self) -> float | None:
        """From the recorded start to the recorded end of the operation that ended last here; None before the first."""
        last = self._context._consumed
        record = None if last is None else self._context._invocation.sink.operations.get(last)
        if record is None or record.started_at is None or record.ended_at is None:
            return None
        return (record.ended_at - record.started_at).total_seconds() * 1000

    def step(self, name: str | None = None, fn: Callable[..., T] | None = None, retry_config: Mapping[str, Any] | None = None) -> T:
        """`retry_config` keys: max_attempts, initial_interval_seconds, backoff_coefficient, max_interval_seconds,
        non_retryable_errors (types or names). Raises `ValidationError` for another key."""
        if fn is None:
            raise ValidationError("step needs fn=")
        return self._context.step(fn, name, retry=None if retry_config is None else _policy(retry_config))

    def wait(self, name: str, *, timeout: DurationLike | None = None, on_timeout: str | None = None) -> SignalResult:
        """Waits for the signal `name`; see `wait_for_signal`."""
        return self._context.wait_for_signal(name, timeout=timeout, on_timeout=on_timeout)

    def sleep(self, name: str, duration: DurationLike) -> None:
        """Waits for time to pass, since `wait` is taken."""
        self._context.wait(duration, name)

    def uuid(self) -> UUID:
        return self._context.uuid()

    def now(self) -> datetime:
        return self._context.now()


def _policy(config: Mapping[str, Any]) -> RetryPolicy:
    unknown = sorted(set(config) - set(_RETRY_KEYS))
    if unknown:
        raise ValidationError(f"retry_config knows {', '.join(_RETRY_KEYS)}; got {', '.join(unknown)}")
    return RetryPolicy(**{_RETRY_KEYS[key]: value for key, value in config.items()})
