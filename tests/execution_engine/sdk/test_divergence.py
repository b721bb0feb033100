"""Code that no longer fits the record: the operation and both sides are named, and nothing is recorded for it."""

from collections.abc import Callable
from typing import Any

import pytest

from execution_engine import DurableContext, StepConfig
from execution_engine.core.enums import InvocationStatus
from execution_engine.core.identifiers import operation_id
from tests.execution_engine.sdk.journal import Journal


def pay(context: DurableContext) -> Any:
    return context.step("pay", lambda: 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda context: context.step("refund", lambda: 1), "the history has STEP 'pay', the code now asks for STEP 'refund' (operation"),
        (lambda context: context.step(lambda: 1), "the history has STEP 'pay', the code now asks for STEP without a name (operation"),
        (lambda context: context.wait("pay", seconds=5), "the history has STEP 'pay', the code now asks for WAIT 'pay' (operation"),
        (
            lambda context: context.step("pay", lambda: 1, config=StepConfig(sub_type="Mail")),
            "the history has STEP 'pay', the code now asks for STEP 'pay', sub type Step there and Mail here (operation",
        ),
    ],
)
def test_the_operation_and_both_sides_are_named(changed: Callable[[DurableContext], Any], said: str) -> None:
    code = [pay]

    def handler(event: Any, context: DurableContext) -> None:
        code[0](context)
        context.wait(seconds=5)

    journal = Journal(handler)
    journal.invoke()
    before = len(journal.written)
    code[0] = changed
    outcome = journal.invoke()
    assert (outcome.status, outcome.invocation_failed) == (InvocationStatus.FAILED, False)
    assert outcome.error.type == "execution_engine.sdk.errors.NonDeterministicExecutionError"
    assert said in outcome.error.message
    assert operation_id(None, 1) in outcome.error.message
    assert len(journal.written) == before


def test_another_parent_is_a_divergence() -> None:
    journal = Journal(lambda event, context: context.run_in_child_context("c", pay))
    journal.run()
    child = journal.named("c").id
    journal.durable = {
        id_: record for id_, record in journal.durable.items() if record.name == "pay" and record.id == operation_id(child, 1)
    }
    from execution_engine import ChildConfig

    journal.function = Journal(lambda event, context: context.run_in_child_context("c", pay, ChildConfig(is_virtual=True))).function
    assert f"parent {child} there and none here" in journal.invoke().error.message


def test_a_divergence_cannot_be_swallowed() -> None:
    code = [pay]

    def handler(event: Any, context: DurableContext) -> str:
        try:
            code[0](context)
        except Exception:
            context.step("compensate", lambda: 1)
        context.wait(seconds=5)
        return "wrong"

    journal = Journal(handler)
    journal.invoke()
    code[0] = lambda context: context.step("other", lambda: 1)
    outcome = journal.invoke()
    assert outcome.error.type.endswith("NonDeterministicExecutionError")
    assert len(journal.written) == 3
