"""Replay-safe time and chance, words for people."""

from typing import Any

import pytest

from execution_engine import DurableContext, DurableExecutionsError, RetryPolicy, StepContext
from execution_engine.core.enums import OperationType
from execution_engine.sdk import ports
from tests.execution_engine.sdk.journal import START, Journal


def test_time_and_chance_are_the_same_on_replay() -> None:
    seen: list[list[Any]] = []

    def handler(event: Any, context: DurableContext) -> None:
        drawn: list[Any] = [context.now(), context.uuid(), context.uuid(), context.random()]
        context.step("a", lambda: drawn.append(None))
        drawn = drawn[:4]
        drawn += [context.now(), context.uuid()]
        context.run_in_child_context("c", lambda child: drawn.extend([child.now(), child.uuid()]))
        drawn = drawn[:6]
        drawn += [context.now(), context.uuid(), context.random()]
        seen.append(drawn)
        context.wait(seconds=60)
        seen[-1] += [context.now(), context.uuid()]

    journal = Journal(handler)
    journal.run()
    journal.invoke()
    assert len(seen) == 3
    assert seen[0] == seen[1][:9] == seen[2][:9]
    assert seen[1] == seen[2]
    final = seen[2]
    assert final[0] == START
    uuids = [value for value in final if hasattr(value, "version")]
    assert len(set(uuids)) == 5
    assert {value.version for value in uuids} == {4}
    assert final[9] == next(r.ended_at for r in journal.durable.values() if r.type is OperationType.WAIT)


def test_a_draw_inside_a_step_is_the_same_in_every_attempt_and_shifts_nothing() -> None:
    keys: list[Any] = []

    def handler(event: Any, context: DurableContext) -> str:
        def body(step: StepContext) -> None:
            keys.append(context.uuid())
            if step.attempt == 1:
                raise ValueError

        context.step("s", body, retry=RetryPolicy())
        after = context.uuid()
        context.wait(seconds=1)
        assert after not in keys
        return str(after)

    journal = Journal(handler)
    first = journal.run().result
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert journal.invoke().result == first


def test_random_is_spread_over_its_range() -> None:
    drawn: list[float] = []
    Journal(lambda event, context: drawn.extend(context.random() for _ in range(500))).run()
    assert all(0 <= value < 1 for value in drawn)
    assert 0.4 < sum(drawn) / 500 < 0.6


def test_status_and_attributes_are_said_once() -> None:
    def handler(event: Any, context: DurableContext) -> str:
        context.set_status("waiting for the bank")
        context.set_attributes({"amount": 5}, customer="ann")
        context.wait(seconds=5)
        context.set_status("x" * 600)
        return context.execution_id

    journal = Journal(handler)
    assert journal.run().result == f'"{journal.execution_id}"'
    assert journal.status_texts == ["waiting for the bank", "x" * 500]
    assert journal.attributes == {"amount": 5, "customer": "ann"}


@pytest.mark.parametrize("attributes", [{"a": [1]}, {1: 1}, {"a": "x" * 2_000_000}, {"a": float("nan")}])
def test_attributes_are_small(attributes: dict[str, Any]) -> None:
    outcome = Journal(lambda event, context: context.set_attributes(attributes)).run()
    assert outcome.error.type.endswith("ValidationError")


def test_without_a_desk_an_approval_names_the_app_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports._Bound, "approval_desk", None)
    outcome = (journal := Journal(lambda event, context: context.wait_for_approval("manager", title="Expense", group="managers"))).run()
    assert outcome.error.type.endswith(DurableExecutionsError.__name__)
    assert "durable_ops" in outcome.error.message
    assert journal.written == []


def test_the_lambda_context_tells_about_the_invocation() -> None:
    def handler(event: Any, context: DurableContext) -> list[Any]:
        about = context.lambda_context
        return [about.function_version, about.invoked_function_arn, about.get_remaining_time_in_millis() > 0]

    journal = Journal(handler)
    assert journal.run().result == '["1", "arn:aws:lambda:us-east-1:000000000000:function:f:1", true]'
    assert journal.execution_arn.endswith(str(journal.execution_id))
