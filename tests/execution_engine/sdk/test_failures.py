"""What is kept of an exception, so that people can see why."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from execution_engine import ExecutionFailedError, RetryPresets
from execution_engine.sdk.failures import STACK_TRACE_CHARACTERS, STACK_TRACE_LINES, error_object
from execution_engine.testing import DurableExecutionTestClient


def refused() -> None:
    raise ConnectionError("refused")


def from_a_cause() -> None:
    try:
        refused()
    except ConnectionError as error:
        raise RuntimeError("cannot pay") from error


def while_handling() -> None:
    try:
        refused()
    except ConnectionError:
        raise RuntimeError("cannot pay")  # noqa: B904


def without_a_cause() -> None:
    try:
        refused()
    except ConnectionError:
        raise RuntimeError("cannot pay") from None


async def fail(number: int) -> None:
    raise ValueError(f"bad {number}")


async def many() -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(9):
            group.create_task(fail(number))


def trace_of(body: Callable[[], Any]) -> str:
    execution = DurableExecutionTestClient().start_execution(lambda event, context: context.step("pay", body, retry=RetryPresets.none))
    assert execution.error is not None and execution.error.stack_trace is not None
    return "\n".join(execution.error.stack_trace)


@pytest.mark.parametrize("body", [from_a_cause, while_handling])
def test_what_led_to_an_exception_stands_above_it(body: Callable[[], None]) -> None:
    trace = trace_of(body)
    assert (
        trace.index("ConnectionError: refused")
        < trace.index("The above led to:")
        < trace.index(f"in {body.__name__}\n    raise RuntimeError")
    )


def test_what_the_author_hid_stays_hidden() -> None:
    assert "refused" not in trace_of(without_a_cause)


def test_the_first_members_of_a_group_are_shown() -> None:
    trace = trace_of(many)
    assert "ValueError: bad 0" in trace and "ValueError: bad 4" in trace and "bad 5" not in trace
    assert "no running event loop" not in trace


def test_a_long_chain_stays_within_the_bounds() -> None:
    error: Exception = ValueError("x" * 100_000)
    for number in range(300):
        try:
            raise RuntimeError(str(number)) from error
        except RuntimeError as raised:
            error = raised
    kept = error_object(error).stack_trace
    assert kept is not None
    assert len(kept) <= STACK_TRACE_LINES and sum(map(len, kept)) <= STACK_TRACE_CHARACTERS
    assert "raise RuntimeError(str(number)) from error" in kept[-1]


def test_asking_for_the_result_shows_the_author_s_lines() -> None:
    execution = DurableExecutionTestClient().start_execution(lambda event, context: context.step("pay", refused, retry=RetryPresets.none))
    with pytest.raises(ExecutionFailedError) as failed:
        execution.get_result()
    assert 'raise ConnectionError("refused")' in failed.value.__notes__[0]


async def not_awaited(context: Any) -> int:
    return 1


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (
            lambda event, context: context.step("s", lambda: {1}),
            "Serialization failed for STEP 's': Unsupported type: <class 'set'>; give a serdes",
        ),
        (
            lambda event, context: context.run_in_child_context("c", not_awaited),
            "CONTEXT 'c': Unsupported type: <class 'coroutine'>; only bodies of",
        ),
        (lambda event, context: datetime.now(UTC), "what a function returns is written as JSON: Object of type datetime"),
    ],
)
def test_a_value_that_cannot_be_written_is_told_with_its_place(handler: Callable[..., Any], said: str) -> None:
    execution = DurableExecutionTestClient().start_execution(handler)
    assert execution.error is not None and said in str(execution.error.message)
