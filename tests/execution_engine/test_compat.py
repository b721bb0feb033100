"""Code in the call shape of articles runs through `execution_engine.compat`."""

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.compat import DurableContext, StepError, durable_execution
from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.sdk import registry
from tests.execution_engine.sdk.journal import Journal

RETRY = {
    "max_attempts": 3,
    "initial_interval_seconds": 2,
    "backoff_coefficient": 2.0,
    "max_interval_seconds": 30,
    "non_retryable_errors": ["CardDeclined"],
}


BUSY: list[Exception] = []


class CardDeclined(Exception):
    pass


def order(event: Any, context: Any) -> list[Any]:
    ctx = DurableContext(context)

    def charge() -> str:
        if BUSY:
            raise BUSY.pop()
        return "charged"

    def decline() -> None:
        raise CardDeclined("no funds")

    paid = ctx.step(name="charge", fn=charge, retry_config=RETRY)
    took = ctx.last_step_duration_ms is not None
    try:
        ctx.step("decline", decline, RETRY)
    except StepError as error:
        cause = error.cause_type
    review = ctx.wait("fraud-review", timeout={"hours": 72}, on_timeout="reject")
    ctx.sleep("pause", {"minutes": 1})
    assert isinstance(DurableContext(ctx).now().year, int)
    return [paid, took, cause, review.signal_name, str(ctx.uuid()) != str(ctx.uuid()), ctx.execution_id, ctx.is_replaying()]


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


def test_the_other_call_shape_runs_to_its_end() -> None:
    BUSY.append(ValueError("busy"))
    journal = Journal(durable_execution(name="order")(order))
    outcome = journal.run()
    assert outcome.status is InvocationStatus.SUCCEEDED, outcome.error
    assert [update.action for update in journal.written if update.name == "decline"] == [OperationAction.START, OperationAction.FAIL]
    assert [update.options.delay for update in journal.written if update.action is OperationAction.RETRY] == [2]
    assert outcome.result == f'["charged", true, "CardDeclined", "reject", true, "{journal.execution_id}", false]'


@pytest.mark.parametrize("wrong", [lambda ctx: ctx.step(name="s"), lambda ctx: ctx.step("s", lambda: 1, {"tries": 3})])
def test_wrong_calls_are_refused(wrong: Any) -> None:
    outcome = Journal(lambda event, context: wrong(DurableContext(context))).run()
    assert outcome.error.type.endswith("ValidationError")


def test_a_signal_that_comes_in_time_is_answered() -> None:
    def handler(event: Any, context: Any) -> list[Any]:
        review = DurableContext(context).wait(name="fraud-review", timeout={"hours": 72}, on_timeout="reject")
        return [review.signal_name, review.payload, review.timed_out]

    journal = Journal(handler)
    journal.signals = [("fraud-review", '{"name": "approve"}')]
    assert journal.run().result == '["fraud-review", {"name": "approve"}, false]'


def test_a_wait_without_on_timeout_raises() -> None:
    outcome = Journal(lambda event, context: DurableContext(context).wait("review", timeout=timedelta(hours=1))).run()
    assert outcome.error.type.endswith("SignalTimeoutError")


@pytest.mark.parametrize("declined", ["CardDeclined", CardDeclined])
def test_retries_end_with_an_error_that_names_its_cause(declined: Any) -> None:
    tries: list[int] = []

    def pay() -> None:
        tries.append(1)
        raise CardDeclined("no funds") if len(tries) == 2 else ValueError("busy")

    def handler(event: Any, context: Any) -> str:
        try:
            DurableContext(context).step(name="pay", fn=pay, retry_config={"max_attempts": 9, "non_retryable_errors": [declined]})
        except StepError as error:
            return f"{error.cause_type}: {error.message}"
        return "never"

    assert Journal(handler).run().result == '"CardDeclined: no funds"'
    assert len(tries) == 2


def test_times_ids_and_durations_are_the_same_on_replay() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        ctx = DurableContext(context)
        before = ctx.last_step_duration_ms
        ctx.step(name="work", fn=lambda: 1)
        seen.append((before, ctx.last_step_duration_ms, ctx.uuid(), ctx.now(), ctx.execution_id))
        ctx.sleep("pause", 5)

    Journal(handler).run()
    assert seen[0] == seen[1]
    assert seen[0][0] is None
    assert seen[0][1] >= 0
