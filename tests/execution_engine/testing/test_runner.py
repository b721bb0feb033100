"""The runner in AWS's shape: tests written for AWS's testing library read the same here."""

import json
from typing import Any

import pytest

from execution_engine import (
    CallbackError,
    DurableContext,
    Duration,
    RetryPolicy,
    StepContext,
    durable_execution,
    durable_step,
    durable_with_child_context,
)
from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationType
from execution_engine.core.records import ErrorObject
from execution_engine.testing import DurableChildContextTestRunner, DurableFunctionsTestError, DurableFunctionTestRunner


@durable_step
def add(step: StepContext, a: int, b: int) -> int:
    return a + b


@durable_execution(name="testing-kit-order")
def order(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    total = context.step(add(event["a"], event["b"]))
    context.wait(Duration.from_days(2), name="cool down")
    inner = context.run_in_child_context(lambda child: child.step(add(total, 1), name="plus one"), name="block")
    return {"total": inner}


def approval(event: Any, context: DurableContext) -> str:
    try:
        return str(context.wait_for_callback(lambda callback_id, _: None, name="manager"))
    except CallbackError as error:
        return f"no: {error.message}"


def test_a_run_goes_to_the_end_and_shows_its_operations() -> None:
    with DurableFunctionTestRunner(handler=order) as runner:
        result = runner.run(input=json.dumps({"a": 1, "b": 2}))

    assert (result.status, result.execution_status) == (InvocationStatus.SUCCEEDED, ExecutionStatus.SUCCEEDED)
    assert json.loads(result.result or "") == {"total": 4}
    assert result.get_step("add").result == "3"
    wait = result.get_wait("cool down")
    assert wait.scheduled_end_timestamp is not None and wait.start_timestamp is not None
    assert (wait.scheduled_end_timestamp - wait.start_timestamp).days == 2
    assert result.get_context("block").get_step("plus one").attempt == 1
    assert [operation.operation_type for operation in result.operations] == [OperationType.STEP, OperationType.WAIT, OperationType.CONTEXT]
    assert len(result.get_all_operations()) == 4
    with pytest.raises(DurableFunctionsTestError, match="cool down"):
        result.get_step("nothing of this name")


def test_a_failure_is_a_result_too() -> None:
    def fails(event: Any, context: DurableContext) -> None:
        raise LookupError("lost")

    result = DurableFunctionTestRunner(fails).run()
    assert (result.status, result.error and result.error.message) == (InvocationStatus.FAILED, "lost")


@pytest.mark.parametrize(("answer", "expected"), [(b'"yes"', '"yes"'), (None, "None")])
def test_a_callback_is_found_and_answered(answer: bytes | None, expected: str) -> None:
    with DurableFunctionTestRunner(approval) as runner:
        arn = runner.run_async()
        runner.send_callback_heartbeat(runner.wait_for_callback(arn, name="manager"))
        runner.send_callback_success(runner.wait_for_callback(arn), answer)
        assert json.loads(runner.wait_for_result(arn).result or "") == expected
        types = [event["EventType"] for event in runner.get_execution_history(arn)]
        assert types.count("CallbackSucceeded") == 1


def test_a_history_reads_as_aws_answers_it() -> None:
    runner = DurableFunctionTestRunner(approval)
    arn = runner.run_async()
    runner.pause_execution(arn)
    runner.send_callback_success(runner.wait_for_callback(arn, name="manager"), b"yes")
    runner.resume_execution(arn)
    runner.wait_for_result(arn)
    history = runner.get_execution_history(arn, include_execution_data=True)
    (started,) = [event for event in history.events if event.event_type == "CallbackStarted"]
    assert (started.name, started.event_id) == ("manager create callback id", 3)
    assert started.callback_started_details.callback_id == started["CallbackStartedDetails"]["CallbackId"]
    assert history.events[-1].execution_succeeded_details.result.payload == '"yes"'
    assert (started.step_started_details, history.next_marker) == (None, None)
    hidden = runner.get_execution_history(arn, include_execution_data=False).to_dict()["Events"]
    assert hidden[-1]["ExecutionSucceededDetails"]["Result"] == {"Truncated": True}


def test_a_failed_run_is_redriven() -> None:
    attempts: list[int] = []

    def fails_once(event: Any, context: DurableContext) -> int:
        return context.step(lambda: attempts.append(1) or len(attempts) // (len(attempts) - 1), retry=RetryPolicy(max_attempts=1))

    runner = DurableFunctionTestRunner(fails_once)
    arn = runner.run_async()
    assert runner.wait_for_result(arn).status is InvocationStatus.FAILED
    runner.redrive_execution(arn)
    assert runner.wait_for_result(arn).result == "2"


def test_a_callback_may_be_failed() -> None:
    runner = DurableFunctionTestRunner(approval)
    arn = runner.run_async()
    runner.send_callback_failure(runner.wait_for_callback(arn), ErrorObject(message="rejected"))
    assert runner.wait_for_result(arn).result == '"no: rejected"'


def test_nobody_answers_in_time() -> None:
    runner = DurableFunctionTestRunner(approval)
    with pytest.raises(TimeoutError, match="manager create callback id"):
        runner.run()
    with pytest.raises(TimeoutError, match="no callback other"):
        runner.wait_for_callback(runner.run_async(), name="other")


@pytest.mark.parametrize(
    ("given", "seen"), [('{"a": 1}', {"a": 1}), ({"a": 1}, {"a": 1}), ("test", "test"), ("3", 3), (None, {}), (" ", {}), (0, 0)]
)
def test_inputs_are_json_text_other_text_or_values(given: Any, seen: Any) -> None:
    result = DurableFunctionTestRunner(lambda event, context: {"seen": event}).run(input=given, timeout=10)
    assert json.loads(result.result or "") == {"seen": seen}


def test_without_a_name_the_latest_callback_is_meant() -> None:
    def two(event: Any, context: DurableContext) -> list[Any]:
        opened = [context.create_callback(name="first"), context.create_callback(name="second")]
        return [callback.result() for callback in opened]

    runner = DurableFunctionTestRunner(two)
    arn = runner.run_async()
    runner.send_callback_success(runner.wait_for_callback(arn), "last")
    runner.send_callback_success(runner.wait_for_callback(arn), "one before")
    assert json.loads(runner.wait_for_result(arn).result or "") == ["one before", "last"]


def test_invoke_targets_are_registered() -> None:
    def asks(event: Any, context: DurableContext) -> Any:
        return [context.invoke("order", {"a": 1, "b": 1}), context.invoke("plain", 5)]

    runner = DurableFunctionTestRunner(asks).register_durable_function("order", order)
    runner.register_function("plain", lambda event, lambda_context: event * 2)
    assert json.loads(runner.run().result or "") == [{"total": 3}, 10]


def test_a_child_context_function_is_tested_alone() -> None:
    @durable_with_child_context
    def block(context: DurableContext, n: int) -> int:
        context.wait(Duration.from_minutes(1))
        return context.step(add(n, n), name="double")

    result = DurableChildContextTestRunner(block, 21).run()
    assert result.result == "42"
    assert result.operations[0].get_step("double").result == "42"
