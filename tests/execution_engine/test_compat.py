"""Code in the call shape of articles runs through `execution_engine.compat`."""

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
