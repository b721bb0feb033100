"""What a test of a durable function can do with the client, beside reading histories."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution_engine import (
    DurableContext,
    Duration,
    ExecutionFailedError,
    RetryPolicy,
    WaitForConditionConfig,
    WaitForConditionDecision,
    durable_execution,
)
from execution_engine.core.errors import (
    CallbackCompletedError,
    ExecutionAlreadyStartedError,
    ExecutionEndedError,
    FunctionNotFoundError,
    InvalidInputError,
    PayloadTooLargeError,
)
from execution_engine.testing import DurableExecutionTestClient, EndlessExecutionError, ExecutionNotEndedError, engine
from execution_engine.testing import execution as execution_under_test

pytestmark = pytest.mark.django_db  # databases are made for what is marked before the first test runs


@pytest.fixture(params=["memory", "database"])
def durable_client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    """Every test runs in both places, by the same rules."""
    return DurableExecutionTestClient(database=request.param == "database")


@durable_execution(name="testing-kit-approval", execution_timeout=Duration.from_days(2))
def approval(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    context.set_status("waiting for the manager")
    context.set_attributes(amount=event["amount"])
    answer = context.wait_for_callback(context.create_callback("manager", timeout=Duration.from_days(1)))
    context.wait(hours=1)
    return {"answer": answer, "at": context.now().isoformat()}


def waits_for_signal(event: dict[str, Any], context: DurableContext) -> list[Any]:
    first = context.wait_for_signal("review", timeout=60, on_timeout="reject")
    return [first.signal_name, first.payload, first.timed_out]


def test_the_result_is_what_the_handler_returned(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(approval, {"amount": 7})
    execution.get_pending_callbacks()[0].complete({"action": "approved"})
    assert execution.status == "RUNNING"
    execution.skip_time({"hours": 1})
    assert execution.status == "SUCCEEDED"
    assert execution.get_result() == {"answer": {"action": "approved"}, "at": durable_client.now.isoformat()}
    assert (execution.status_text, execution.attributes) == ("waiting for the manager", {"amount": 7})


def test_a_registered_function_starts_by_its_name(durable_client: DurableExecutionTestClient) -> None:
    assert durable_client.start_execution("testing-kit-approval", {"amount": 1}).get_pending_callbacks()[0].name == "manager"
    with pytest.raises(FunctionNotFoundError):
        durable_client.start_execution("nobody-knows-me")


def test_asking_too_early_says_what_it_waits_for(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(approval, {"amount": 1})
    with pytest.raises(ExecutionNotEndedError, match=r"CALLBACK manager until"):
        execution.get_result()


def test_a_failure_keeps_the_authors_type_and_message(durable_client: DurableExecutionTestClient) -> None:
    class StockOutError(Exception):
        pass

    def handler(event: dict[str, Any], context: DurableContext) -> None:
        raise StockOutError("no more apples")

    with pytest.raises(ExecutionFailedError, match="no more apples") as failure:
        durable_client.start_execution(handler).get_result()
    assert str(failure.value.error_type).endswith("StockOutError")
    assert (failure.value.message, failure.value.status) == ("no more apples", "FAILED")


@pytest.mark.parametrize("error", ["stop it", ValueError("stop it"), {"ErrorMessage": "stop it"}])
def test_a_stop_is_a_failure_with_its_reason(durable_client: DurableExecutionTestClient, error: Any) -> None:
    execution = durable_client.start_execution(approval, {"amount": 1})
    callback = execution.get_pending_callbacks()[0]
    execution.stop(error)
    with pytest.raises(CallbackCompletedError, match="STOPPED"):
        callback.complete()
    with pytest.raises(ExecutionFailedError, match="stop it"):
        execution.get_result()
    with pytest.raises(ExecutionEndedError):
        execution.stop()
    assert execution.get_pending_callbacks() == []


def test_the_execution_timeout_comes_before_any_success(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(approval, {"amount": 1})
    durable_client.skip_time(Duration.from_hours(23))
    callback = execution.get_pending_callbacks()[0]
    callback.heartbeat()
    durable_client.skip_time(Duration.from_days(3))
    assert execution.status == "FAILED", "the callback times out after a day, and the handler does not catch it"
    with pytest.raises(CallbackCompletedError, match="TIMED_OUT"):
        callback.complete("late")


def test_an_execution_times_out_at_its_own_moment(durable_client: DurableExecutionTestClient) -> None:
    @durable_execution(name="testing-kit-patient", execution_timeout=60)
    def patient(event: dict[str, Any], context: DurableContext) -> None:
        context.create_callback("never").result()

    execution = durable_client.start_execution(patient)
    execution.skip_time(3600)
    assert execution.status == "TIMED_OUT"
    assert (execution.events[-1]["EventTimestamp"] - execution.events[0]["EventTimestamp"]).seconds == 60


def test_a_second_answer_is_refused(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(approval, {"amount": 1})
    callback = execution.get_pending_callbacks()[0]
    callback.complete("null")
    with pytest.raises(CallbackCompletedError, match="SUCCEEDED"):
        callback.fail("no")


def test_run_until_complete_skips_waits_and_retries_but_not_people(durable_client: DurableExecutionTestClient) -> None:
    def handler(event: dict[str, Any], context: DurableContext) -> str:
        context.step(lambda step: 1 / (step.attempt - 1), name="flaky", retry=RetryPolicy(max_attempts=2, initial_interval=30))
        context.wait(days=3)
        return str(context.create_callback("person", timeout=Duration.from_days(7)).result())

    execution = durable_client.start_execution(handler)
    assert execution.run_until_complete() == "RUNNING"
    assert [callback.name for callback in execution.get_pending_callbacks()] == ["person"]
    execution.get_pending_callbacks()[0].complete("ok")
    assert execution.get_result() == "ok"


def test_signals_meet_their_waiters_and_wait_for_them(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(waits_for_signal)
    assert execution.get_pending_callbacks() == [], "a signal is not answered by its callback id"
    execution.signal("other")
    execution.signal("review", {"verdict": "fine"})
    assert execution.get_result() == ["review", {"verdict": "fine"}, False]

    def late(event: dict[str, Any], context: DurableContext) -> list[Any]:
        context.wait(seconds=5)
        return [context.wait_for_signal("news").payload, context.wait_for_signal("news").payload]

    buffered = durable_client.start_execution(late)
    buffered.signal("news", 1)
    buffered.signal("news", 2)
    durable_client.skip_time(5)
    assert buffered.get_result() == [1, 2]
    assert [event["EventType"] for event in buffered.events].count("InvocationCompleted") == 2


def test_a_signal_that_never_comes_is_assumed(durable_client: DurableExecutionTestClient) -> None:
    execution = durable_client.start_execution(waits_for_signal)
    execution.skip_time(60)
    assert execution.get_result() == ["reject", None, True]


def test_the_same_name_is_the_same_execution(durable_client: DurableExecutionTestClient) -> None:
    first = durable_client.start_execution(approval, {"amount": 1}, name="order-1")
    assert durable_client.start_execution(approval, {"amount": 1}, name="order-1").execution_id == first.execution_id
    with pytest.raises(ExecutionAlreadyStartedError):
        durable_client.start_execution(approval, {"amount": 2}, name="order-1")
    assert len(durable_client.executions) == 1


def test_timers_of_all_executions_fire_in_the_order_of_their_time(durable_client: DurableExecutionTestClient) -> None:
    order: list[str] = []

    def handler(event: dict[str, Any], context: DurableContext) -> None:
        for number in range(2):
            context.wait(seconds=event["every"])
            context.step(lambda done=f"{event['who']}{number}": order.append(done), name="note")

    durable_client.start_execution(handler, {"who": "slow", "every": 5})
    durable_client.start_execution(handler, {"who": "quick", "every": 2})
    durable_client.skip_time(timedelta(seconds=10))
    assert order == ["quick0", "quick1", "slow0", "slow1"]


def test_the_clock_stands_where_it_was_set() -> None:
    client = DurableExecutionTestClient(start_at=datetime(2026, 2, 28, 23, 59, tzinfo=UTC))

    def handler(event: dict[str, Any], context: DurableContext) -> str:
        before = context.now()
        context.wait(minutes=2)
        return f"{before:%d %H:%M} {context.now():%d %H:%M}"

    execution = client.start_execution(handler)
    execution.skip_time(120)
    assert execution.get_result() == "28 23:59 01 00:01"
    with pytest.raises(ValueError, match="time zone"):
        DurableExecutionTestClient(start_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_handler_that_chases_itself_is_noticed(durable_client: DurableExecutionTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_INVOCATIONS_PER_MOMENT", 20)  # each replays what all before have left

    def handler(event: dict[str, Any], context: DurableContext) -> None:
        never = context.create_callback("never")
        for number in range(len(durable_client.executions[0].operations)):
            context.create_callback(f"one more {number}")
        durable_client.executions[0].get_pending_callbacks()[-1].complete()
        never.result()

    with pytest.raises(EndlessExecutionError, match="20 times"):
        durable_client.start_execution(handler)


def test_a_crash_repeats_no_finished_step(durable_client: DurableExecutionTestClient) -> None:
    bodies: list[str] = []

    def handler(event: dict[str, Any], context: DurableContext) -> int:
        for name in ("a", "b", "c"):
            context.step(lambda name=name: bodies.append(name), name=name)
        return len(bodies)

    for count in range(1, 8):
        bodies.clear()
        durable_client.crash_after_checkpoints(count)
        execution = durable_client.start_execution(handler)
        assert execution.status == "SUCCEEDED"
        assert sorted(set(bodies)) == ["a", "b", "c"]
        assert len(bodies) <= 4, "at most the step in flight begins again"


def giving(value: Any) -> Any:
    return lambda event, context: context.step("big", lambda: value, retry=RetryPolicy(max_attempts=1))


@pytest.mark.parametrize(
    ("handler", "type_", "said"),
    [
        (giving("x" * 7_000_000), "CheckpointError", "the payload of STEP big has 7000002 bytes; the limit is 6291456"),
        (lambda event, context: "x" * 7_000_000, "Function.ResponseSizeTooLarge", "the result has 7000002 bytes; the limit is 6291456"),
    ],
)
def test_payloads_have_production_s_bounds(handler: Any, type_: str, said: str, durable_client: DurableExecutionTestClient) -> None:
    error = durable_client.start_execution(handler).error
    assert error is not None and (error.type or "").endswith(type_) and said in str(error.message)


def test_what_outsiders_send_is_bounded_too(durable_client: DurableExecutionTestClient) -> None:
    with pytest.raises(InvalidInputError, match="name is 1 to 64 letters"):
        durable_client.start_execution(giving(1), name="two words")
    with pytest.raises(PayloadTooLargeError, match="input has 7000002 bytes"):
        durable_client.start_execution(giving(1), "x" * 7_000_000)
    execution = durable_client.start_execution(lambda event, context: context.create_callback("bank").result())
    with pytest.raises(PayloadTooLargeError, match="result has 7000000 bytes"):
        execution.get_pending_callbacks()[0].complete("x" * 7_000_000)
    with pytest.raises(InvalidInputError, match="NUL"):
        execution.get_pending_callbacks()[0].complete("\x00")
    with pytest.raises(PayloadTooLargeError, match="payload has 7000002 bytes"):
        execution.signal("go", "x" * 7_000_000)
    execution.get_pending_callbacks()[0].complete("fine")
    assert execution.get_result() == "fine"


def test_a_poll_that_never_ends_is_told(monkeypatch: pytest.MonkeyPatch, durable_client: DurableExecutionTestClient) -> None:
    monkeypatch.setattr(execution_under_test, "MAX_TIMERS", 20)
    forever = WaitForConditionConfig(lambda state, attempt: WaitForConditionDecision.continue_waiting(60), 0)
    execution = durable_client.start_execution(lambda event, context: context.wait_for_condition(lambda state: state, forever, "poll"))
    with pytest.raises(EndlessExecutionError, match=r"20 timers have fired, and .* is RUNNING at .*; it waits for STEP poll"):
        execution.run_until_complete()
