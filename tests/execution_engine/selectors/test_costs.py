"""What is counted, on histories that the engine wrote: retries, waits, callbacks, forks, results of nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from execution_engine import RetryPolicy, StepContext, durable_execution
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.selectors.costs import Quantities, Usage, dearest_operations, get_usage
from execution_engine.testing import DurableExecutionTestClient
from tests.factories import ago, make_event, make_execution, make_operation, make_version, some_id

pytestmark = pytest.mark.django_db(transaction=True)


@durable_execution(name="test-costs")
def counted(event: Any, context: Any) -> Any:
    def flaky(step: StepContext) -> str:
        if step.attempt < 3:
            raise OSError("again")
        return "x" * 100

    context.step("flaky", flaky, retry=RetryPolicy(max_attempts=3, initial_interval=1))
    context.step("nothing", lambda: None)
    context.wait("pause", 60)
    return context.wait_for_callback(context.create_callback("manager"))


def test_an_execution_is_counted_from_its_history() -> None:
    execution = DurableExecutionTestClient(database=True).start_execution(counted, {"a": 1})
    execution.skip_time(timedelta(hours=1))
    execution.get_pending_callbacks()[0].complete({"action": "approved"})
    execution.get_result()
    execution_id = UUID(execution.execution_id)
    found = get_usage(execution_id)
    # The start, three attempts, one of nothing, a wait, a callback.
    assert (found.usage.total.operations, found.usage.step_attempts, found.usage.retries.operations) == (7, 4, 2)
    assert (found.status, found.usage.total.requests > 3, found.usage.retries.requests) == ("SUCCEEDED", True, 2)
    assert found.usage.total.mb_ms == found.usage.active_ms * 1024
    assert found.usage.idle_ms >= 3_600_000 - 1_000
    by_title = {one.title: one for one in dearest_operations(execution_id)}
    assert (by_title["nothing"].bytes_written, by_title["nothing"].operations, by_title["flaky"].operations) == (0, 1, 3)
    assert by_title["flaky"].bytes_written > 102


def test_no_result_and_null_write_nothing() -> None:
    execution = make_execution(make_version(), status="SUCCEEDED", ended_at=ago(), input="null", result="null")
    make_operation(execution, status="SUCCEEDED", payload=None)
    make_operation(execution, status="SUCCEEDED", payload="null")
    assert get_usage(execution.id).usage.total.bytes_written == 0


def test_bytes_are_utf8_and_kept_until_the_purge() -> None:
    end = ago(hours=1)
    start = end - timedelta(seconds=100)
    kept = {"started_at": start, "ended_at": end, "retention_days": 1}
    execution = make_execution(make_version(), status="SUCCEEDED", input='"ä"', result="12", **kept)
    total = get_usage(execution.id).usage.total
    assert (total.bytes_written, total.byte_seconds) == (4 + 2, 4 * (86_400 + 100) + 2 * 86_400)


def test_a_killed_invocation_is_a_retry() -> None:
    start = ago(minutes=5)
    execution = make_execution(make_version(memory_mb=128), status="SUCCEEDED", started_at=start, ended_at=start + timedelta(seconds=9))
    make_event(execution, 1, "ExecutionStarted", start)
    for number, (begin, end, error) in enumerate([(0, 4, '{"ErrorType": "Runtime.ExitError"}'), (5, 9, None)], start=2):
        details = {"StartTimestamp": (start + timedelta(seconds=begin)).isoformat()}
        make_event(execution, number, "InvocationCompleted", start + timedelta(seconds=end), details=details, error=error)
    usage = get_usage(execution.id).usage
    assert usage.retries == Quantities(requests=1, mb_ms=4000 * 128)
    assert (usage.total.requests, usage.active_ms, usage.idle_ms, usage.total.bytes_written) == (2, 8000, 1000, 0)


def test_a_started_millisecond_counts() -> None:
    start = ago(minutes=5)
    execution = make_execution(make_version(), started_at=start)
    make_event(execution, 1, "InvocationCompleted", start + timedelta(microseconds=1200), details={"StartTimestamp": start.isoformat()})
    assert get_usage(execution.id).usage.active_ms == 2


def test_what_a_fork_copied_was_counted_with_the_original() -> None:
    start = ago(minutes=5)
    execution = make_execution(make_version(), started_at=start, forked_from=some_id(1))
    make_event(execution, 1, "ExecutionStarted", start)
    make_event(execution, 2, "StepSucceeded", start)
    make_event(execution, 3, "StepSucceeded", start + timedelta(seconds=1))
    make_operation(execution, status="SUCCEEDED", payload="copied", started_at=start, ended_at=start)
    total = get_usage(execution.id).usage.total
    assert (total.operations, total.bytes_written) == (2, 0)


def test_unknown_executions_are_refused() -> None:
    with pytest.raises(ExecutionNotFoundError):
        get_usage(some_id(9))


def test_usage_adds_and_subtracts() -> None:
    one = Usage(Quantities(1, 2, 3, 4, 5), Quantities(operations=1), 1, 2, 3)
    assert one + one - one == one
