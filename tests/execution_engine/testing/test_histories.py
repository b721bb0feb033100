"""The histories of AWS's service, event by event (semantics note, section 6), as the in-memory journal writes them."""

from typing import Any

import pytest

from execution_engine import (
    CallbackError,
    DurableContext,
    Duration,
    JitterStrategy,
    RetryPolicy,
    RetryPresets,
    RetryStrategyConfig,
    StepConfig,
    StepContext,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionDecision,
    create_retry_strategy,
)
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest


def types(execution: ExecutionUnderTest) -> list[str]:
    assert [event["EventId"] for event in execution.events] == list(range(1, len(execution.events) + 1))
    return [event["EventType"] for event in execution.events]


def details(execution: ExecutionUnderTest, kind: str) -> list[dict[str, Any]]:
    return [event[f"{kind}Details"] for event in execution.events if event["EventType"] == kind]


def test_a_suspended_invocation_ends_before_its_wait() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str:
        context.wait(Duration.from_seconds(10))
        return "done"

    execution = DurableExecutionTestClient().start_execution(handler)
    assert types(execution) == ["ExecutionStarted", "WaitStarted", "InvocationCompleted"]
    execution.skip_time(10)
    assert types(execution)[3:] == ["WaitSucceeded", "InvocationCompleted", "ExecutionSucceeded"]
    started, completed = execution.events[1], details(execution, "InvocationCompleted")[0]
    assert started["WaitStartedDetails"]["Duration"] == 10
    assert (started["WaitStartedDetails"]["ScheduledEndTimestamp"] - started["EventTimestamp"]).seconds == 10
    assert set(completed) == {"StartTimestamp", "EndTimestamp", "RequestId", "Error"}
    assert details(execution, "ExecutionSucceeded") == [{"Result": {"Payload": '"done"', "Truncated": False}}]


def test_a_step_shows_its_result_and_attempt() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> int:
        return context.step(lambda: event["a"] + 1, name="add")

    execution = DurableExecutionTestClient().start_execution(handler, {"a": 1})
    assert types(execution) == ["ExecutionStarted", "StepStarted", "StepSucceeded", "InvocationCompleted", "ExecutionSucceeded"]
    assert details(execution, "ExecutionStarted") == [{"Input": {"Payload": '{"a": 1}', "Truncated": False}}]
    assert details(execution, "StepStarted") == [{}]
    result = {"Payload": "2", "Truncated": False}
    assert details(execution, "StepSucceeded") == [{"Result": result, "RetryDetails": {"CurrentAttempt": 1}}]
    for event in execution.events[1:3]:
        assert (event["Name"], event["SubType"], "ParentId" in event) == ("add", "Step", False)


def test_a_retry_has_a_second_start_and_an_end_of_invocation_between() -> None:
    calls: list[int] = []

    def flaky(step: StepContext) -> str:
        calls.append(step.attempt)
        if step.attempt == 1:
            raise ConnectionError("later")
        return "ok"

    def handler(event: dict[str, Any], context: DurableContext) -> str:
        strategy = create_retry_strategy(RetryStrategyConfig(initial_delay=Duration(5), jitter_strategy=JitterStrategy.NONE))
        return context.step(flaky, name="flaky", config=StepConfig(retry_strategy=strategy))

    execution = DurableExecutionTestClient().start_execution(handler)
    execution.skip_time(5)
    assert types(execution) == [
        "ExecutionStarted",
        "StepStarted",
        "StepFailed",
        "InvocationCompleted",
        "StepStarted",
        "StepSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    (failed,) = details(execution, "StepFailed")
    assert failed["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}
    assert (failed["Error"]["Payload"]["ErrorType"], failed["Error"]["Payload"]["ErrorMessage"]) == ("ConnectionError", "later")
    assert details(execution, "StepSucceeded")[0]["RetryDetails"] == {"CurrentAttempt": 2}
    assert calls == [1, 2]


def test_the_last_failure_has_no_delay_and_fails_the_execution() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> None:
        context.step(lambda: 1 / 0, name="divide", retry=RetryPolicy(max_attempts=2, initial_interval=1))

    execution = DurableExecutionTestClient().start_execution(handler)
    assert execution.run_until_complete() == "FAILED"
    assert types(execution)[-4:] == ["StepStarted", "StepFailed", "InvocationCompleted", "ExecutionFailed"]
    assert details(execution, "StepFailed")[1]["RetryDetails"] == {"CurrentAttempt": 2}


def test_a_poll_that_goes_on_is_a_success_with_state_and_delay() -> None:
    def decide(state: int, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if state == 2 else WaitForConditionDecision.continue_waiting(Duration(3))

    def handler(event: dict[str, Any], context: DurableContext) -> int:
        return context.wait_for_condition(
            lambda state, _: state + 1, config=WaitForConditionConfig(wait_strategy=decide, initial_state=0), name="poll"
        )

    execution = DurableExecutionTestClient().start_execution(handler)
    execution.skip_time(3)
    assert types(execution) == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "InvocationCompleted",
        "StepStarted",
        "StepSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    first, last = details(execution, "StepSucceeded")
    assert first == {"Result": {"Payload": "1", "Truncated": False}, "RetryDetails": {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 3}}
    assert last == {"Result": {"Payload": "2", "Truncated": False}, "RetryDetails": {"CurrentAttempt": 2}}


def test_a_callback_shows_its_timeouts_and_its_answer_verbatim() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str | None:
        return context.create_callback("manager", timeout=300, heartbeat_timeout=60).result()

    execution = DurableExecutionTestClient().start_execution(handler)
    (callback,) = execution.get_pending_callbacks()
    assert details(execution, "CallbackStarted") == [{"CallbackId": callback.callback_id, "Timeout": 300, "HeartbeatTimeout": 60}]
    callback.complete('{ "yes":  true }')
    assert types(execution)[2:] == ["InvocationCompleted", "CallbackSucceeded", "InvocationCompleted", "ExecutionSucceeded"]
    assert details(execution, "CallbackSucceeded") == [{"Result": {"Payload": '{ "yes":  true }', "Truncated": False}}]
    assert execution.get_result() == '{ "yes":  true }'


def test_an_answer_during_a_wait_has_an_invocation_of_its_own() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str | None:
        callback = context.create_callback("early")
        context.wait(Duration(60))
        return callback.result()

    execution = DurableExecutionTestClient().start_execution(handler)
    execution.get_pending_callbacks()[0].complete("yes")
    execution.skip_time(60)
    assert types(execution) == [
        "ExecutionStarted",
        "CallbackStarted",
        "WaitStarted",
        "InvocationCompleted",
        "CallbackSucceeded",
        "InvocationCompleted",
        "WaitSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_an_answer_inside_the_invocation_stands_before_its_end() -> None:
    client = DurableExecutionTestClient()

    def handler(event: dict[str, Any], context: DurableContext) -> str | None:
        callback = context.create_callback("quick")
        context.step(lambda: client.executions[0].get_pending_callbacks()[0].complete("now"), name="answer")
        return callback.result()

    execution = client.start_execution(handler)
    assert types(execution) == [
        "ExecutionStarted",
        "CallbackStarted",
        "StepStarted",
        "CallbackSucceeded",
        "StepSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_wait_for_callback_is_a_context_with_a_callback_and_a_step() -> None:
    sent: list[str] = []

    def handler(event: dict[str, Any], context: DurableContext) -> str:
        return context.wait_for_callback(lambda callback_id, _: sent.append(callback_id), name="approval")

    execution = DurableExecutionTestClient().start_execution(handler)
    assert sent == [execution.get_pending_callbacks()[0].callback_id]
    execution.get_pending_callbacks()[0].complete("fine")
    assert [(event["EventType"], event.get("Name")) for event in execution.events] == [
        ("ExecutionStarted", None),
        ("ContextStarted", "approval"),
        ("CallbackStarted", "approval create callback id"),
        ("StepStarted", "approval submitter"),
        ("StepSucceeded", "approval submitter"),
        ("InvocationCompleted", None),
        ("CallbackSucceeded", "approval create callback id"),
        ("ContextSucceeded", "approval"),
        ("InvocationCompleted", None),
        ("ExecutionSucceeded", None),
    ]
    context_id = execution.events[1]["Id"]
    assert [event.get("ParentId") for event in execution.events[2:5]] == [context_id] * 3


@pytest.mark.parametrize(("beats", "error_type", "after"), [(0, "Callback.Heartbeat", 60), (4, "Callback.Timeout", 200)])
def test_a_callback_times_out_by_its_nearer_timer(beats: int, error_type: str, after: int) -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str | None:
        return context.create_callback("slow", timeout=200, heartbeat_timeout=60).result()

    client = DurableExecutionTestClient()
    execution = client.start_execution(handler)
    for _ in range(beats):
        execution.skip_time(50)
        if execution.get_pending_callbacks():
            execution.get_pending_callbacks()[0].heartbeat()
    execution.skip_time(60)
    assert types(execution)[1:] == [
        "CallbackStarted",
        "InvocationCompleted",
        "CallbackTimedOut",
        "InvocationCompleted",
        "ExecutionFailed",
    ], "heartbeats are no events and wake nobody"
    assert details(execution, "CallbackTimedOut")[0]["Error"]["Payload"]["ErrorType"] == error_type
    assert (execution.events[3]["EventTimestamp"] - execution.events[1]["EventTimestamp"]).seconds == after


def test_a_stop_ends_the_execution_and_leaves_its_operations_open() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> None:
        context.wait(Duration(60), name="long")

    execution = DurableExecutionTestClient().start_execution(handler)
    execution.stop({"ErrorType": "Cancelled", "ErrorMessage": "not needed"})
    assert types(execution)[-2:] == ["InvocationCompleted", "ExecutionStopped"]
    assert details(execution, "ExecutionStopped")[0]["Error"]["Payload"] == {"ErrorType": "Cancelled", "ErrorMessage": "not needed"}
    assert execution.get_operation("long").status == "STARTED"


def test_a_crash_is_an_ended_invocation_and_reruns_an_at_least_once_step_without_a_second_start() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> int:
        return context.step(lambda: 7, name="work")

    client = DurableExecutionTestClient()
    client.crash_after_checkpoints(1)
    execution = client.start_execution(handler)
    assert types(execution) == [
        "ExecutionStarted",
        "StepStarted",
        "InvocationCompleted",
        "StepSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    first, second = details(execution, "InvocationCompleted")
    assert first["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    assert "Payload" not in second["Error"]


def test_a_crash_interrupts_an_at_most_once_step() -> None:
    bodies: list[int] = []

    def handler(event: dict[str, Any], context: DurableContext) -> None:
        config = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY, retry_strategy=RetryPresets.none())
        context.step(lambda: bodies.append(1), name="charge", config=config)

    client = DurableExecutionTestClient()
    client.crash_after_checkpoints(1)
    execution = client.start_execution(handler)
    assert types(execution)[1:] == ["StepStarted", "InvocationCompleted", "StepFailed", "InvocationCompleted", "ExecutionFailed"]
    failed = details(execution, "StepFailed")[0]
    assert failed["RetryDetails"] == {"CurrentAttempt": 1}
    assert failed["Error"]["Payload"]["ErrorType"].endswith("StepInterruptedError")
    assert bodies == []


def test_a_failed_callback_is_raised_where_its_result_is_asked() -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str:
        callback = context.create_callback("external")
        context.wait(Duration(5))
        seen = context.step(lambda: "the code after it ran", name="after")
        try:
            callback.result()
        except CallbackError as error:
            return f"{seen}: {error.message}"
        return "no"

    execution = DurableExecutionTestClient().start_execution(handler)
    execution.get_pending_callbacks()[0].fail({"ErrorMessage": "rejected", "ErrorType": "Policy"})
    execution.skip_time(5)
    assert details(execution, "CallbackFailed")[0]["Error"]["Payload"] == {"ErrorMessage": "rejected", "ErrorType": "Policy"}
    assert execution.get_result() == "the code after it ran: rejected"
