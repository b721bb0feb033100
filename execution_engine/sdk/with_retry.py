"""Retries of a whole block of durable operations, under AWS's names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from execution_engine.sdk.config import ChildConfig
from execution_engine.sdk.context import DurableContext
from execution_engine.sdk.retries import RetryStrategy, as_strategy, create_retry_strategy, decide

T = TypeVar("T")


@dataclass(frozen=True)
class WithRetryConfig(Generic[T]):
    """Unless `wrap_with_run_in_child_context` is off, the block is one CONTEXT and its final failure a `ChildContextError`."""

    retry_strategy: RetryStrategy | None = None
    wrap_with_run_in_child_context: bool = True
    child_context_config: ChildConfig[T] | None = None


def with_retry(context: DurableContext, func: Callable[[DurableContext, int], T], config: WithRetryConfig[T], name: str | None = None) -> T:
    """Runs `func(context, attempt)` again from its beginning when it raises, after a wait named `{name}-backoff-{attempt}`.

    `func` may hold any durable operations; those of each attempt are recorded anew. Raises what the last attempt raised.
    """
    strategy = create_retry_strategy() if config.retry_strategy is None else as_strategy(config.retry_strategy)

    def attempts(inner: DurableContext) -> T:
        attempt = 1
        while True:
            try:
                return func(inner, attempt)
            except Exception as error:
                decision = decide(strategy, error, attempt, f"with_retry {name or ''}".rstrip())
                if not decision.should_retry:
                    raise
            inner.wait(decision.delay, name=f"{name}-backoff-{attempt}" if name else None)
            attempt += 1

    if not config.wrap_with_run_in_child_context:
        return attempts(context)
    return context.run_in_child_context(attempts, name=name, config=config.child_context_config)
