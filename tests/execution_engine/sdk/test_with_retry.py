"""with_retry: a block of operations runs again as a whole."""

from typing import Any

import pytest

from execution_engine import ChildContextError, DurableContext, RetryPolicy, StepError, WithRetryConfig, with_retry
from tests.execution_engine.sdk.journal import Journal

ONCE = RetryPolicy(max_attempts=1)


def block(context: DurableContext, attempt: int) -> str:
    context.step(f"reserve-{attempt}", lambda: attempt)
    if attempt < 3:
        context.step(f"charge-{attempt}", lambda: 1 / 0, retry=ONCE)
    return f"charged in attempt {attempt}"


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_block_runs_again_after_a_wait(is_wrapped: bool) -> None:
    config = WithRetryConfig[str](RetryPolicy(initial_interval=2), is_wrapped)
    journal = Journal(lambda event, context: with_retry(context, block, config, name="order"))
    assert journal.run().result == '"charged in attempt 3"'
    names = [record.name for record in journal.durable.values()]
    expected = [
        *["reserve-1", "charge-1", "order-backoff-1", "reserve-2", "charge-2", "order-backoff-2", "reserve-3"],
    ]
    assert names == (["order", *expected] if is_wrapped else expected)
    assert journal.named("order-backoff-2").options.duration == 4
    assert journal.invoke().result == '"charged in attempt 3"'


@pytest.mark.parametrize(("is_wrapped", "raised"), [(True, ChildContextError), (False, StepError)])
def test_the_last_failure_is_raised(is_wrapped: bool, raised: type[Exception]) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            with_retry(context, block, WithRetryConfig(ONCE, is_wrapped))
        except raised as error:
            return type(error).__name__
        return "none"

    assert Journal(handler).run().result == f'"{raised.__name__}"'
