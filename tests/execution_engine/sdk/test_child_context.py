"""run_in_child_context: nesting, large results, virtual contexts, failures."""

from typing import Any

import pytest

from execution_engine import (
    ChildConfig,
    ChildContextError,
    DurableContext,
    ExecutionError,
    InvocationError,
    NonDeterministicExecutionError,
    StepError,
    durable_with_child_context,
)
from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.core.identifiers import operation_id
from execution_engine.sdk.operations.child_context import MAX_RESULT_BYTES
from tests.execution_engine.sdk.journal import Journal


def test_a_child_context_nests_ids_and_parents_and_replays_without_running() -> None:
    runs: list[str] = []

    @durable_with_child_context
    def total(context: DurableContext, amount: int) -> int:
        runs.append("body")
        return context.step("double", lambda: amount * 2) + context.run_in_child_context("inner", lambda c: c.step(lambda: 1))

    def handler(event: Any, context: DurableContext) -> int:
        return context.run_in_child_context(total(event))

    journal = Journal(handler, "4")
    assert journal.run().result == "9"
    assert journal.invoke().result == "9"
    assert runs == ["body"]
    outer, double, inner, step = journal.durable.values()
    assert (outer.id, outer.name, outer.parent_id, outer.sub_type) == (operation_id(None, 1), "total", None, "RunInChildContext")
    assert (double.id, double.parent_id) == (operation_id(outer.id, 1), outer.id)
    assert (inner.id, inner.parent_id) == (operation_id(outer.id, 2), outer.id)
    assert (step.id, step.parent_id) == (operation_id(inner.id, 1), inner.id)


def test_a_started_child_runs_again_over_its_recorded_children() -> None:
    runs: list[str] = []

    def child(context: DurableContext) -> str:
        runs.append("body")
        context.step("once", lambda: runs.append("step"))
        context.wait(seconds=5)
        return "done"

    journal = Journal(lambda event, context: context.run_in_child_context(child, "c"))
    assert journal.run().result == '"done"'
    assert runs == ["body", "step", "body"]
    assert [update.action for update in journal.written if update.name == "c"] == ["START", "SUCCEED"]


def test_a_failing_child_raises_the_same_on_first_run_and_replay() -> None:
    seen: list[Any] = []

    def child(context: DurableContext) -> None:
        context.step("s", lambda: int("x"), retry=lambda error, attempt: __import__("execution_engine").RetryDecision.no_retry())

    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.run_in_child_context("c", child)
        except ChildContextError as error:
            seen.append([str(error), error.error_type, type(error.__cause__), str(error.__cause__), error.stack_trace])

    journal = Journal(handler)
    journal.run()
    journal.invoke()
    assert seen[0] == seen[1]
    assert seen[0][:3] == [
        "invalid literal for int() with base 10: 'x'",
        "execution_engine.sdk.errors.StepError",
        StepError,
    ]


@pytest.mark.parametrize("error", [ExecutionError("stop"), InvocationError("again")])
def test_fatal_and_retryable_errors_pass_through_without_an_end(error: Exception) -> None:
    def child(context: DurableContext) -> None:
        context.step("s", lambda: 1)
        raise error

    outcome = (journal := Journal(lambda event, context: context.run_in_child_context(child, "c"))).invoke()
    assert outcome.error.message == str(error)
    assert outcome.invocation_failed is isinstance(error, InvocationError)
    assert [update.action for update in journal.written if update.name == "c"] == ["START"]


@pytest.mark.parametrize(("generator", "payload"), [(None, ""), (lambda result: f"{len(result)} characters", "300000 characters")])
def test_a_large_result_is_rebuilt_by_replaying_the_children(generator: Any, payload: str) -> None:
    runs: list[str] = []

    def child(context: DurableContext) -> str:
        runs.append("body")
        return context.step("letter", lambda: runs.append("step") or "x") * 300_000

    def handler(event: Any, context: DurableContext) -> int:
        text = context.run_in_child_context(child, "large", ChildConfig(summary_generator=generator))
        context.wait(seconds=1)
        return len(text)

    journal = Journal(handler)
    assert journal.run().result == "300000"
    record = journal.named("large")
    assert (record.payload, record.replay_children) == (payload, True)
    assert runs == ["body", "step", "body"]
    assert [update.action for update in journal.written if update.name == "large"] == ["START", "SUCCEED"]


def test_the_bound_of_a_large_result_counts_bytes() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context("fits", lambda c: "x" * (MAX_RESULT_BYTES - 2))
        context.run_in_child_context("too large", lambda c: "x" * (MAX_RESULT_BYTES - 1))

    journal = Journal(handler)
    journal.run()
    assert not journal.named("fits").replay_children
    assert journal.named("too large").replay_children


def test_a_virtual_context_leaves_no_record_but_prefixes_ids() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return context.run_in_child_context(lambda c: c.step("s", lambda: (1, 2)), "v", ChildConfig(is_virtual=True))

    journal = Journal(handler)
    assert journal.run().result == "[1, 2]"
    assert journal.invoke().result == "[1, 2]"
    (step,) = journal.durable.values()
    assert (step.id, step.parent_id) == (operation_id(operation_id(None, 1), 1), None)


def test_a_virtual_context_inside_a_real_one_reports_to_the_real_one() -> None:
    def child(context: DurableContext) -> None:
        context.run_in_child_context(lambda v: v.step("s", lambda: 1), config=ChildConfig(is_virtual=True))

    journal = Journal(lambda event, context: context.run_in_child_context(child, "real"))
    journal.run()
    assert journal.named("s").parent_id == journal.named("real").id


def test_a_failing_virtual_context_raises_without_a_record() -> None:
    def child(context: DurableContext) -> None:
        raise ValueError("bad")

    outcome = (journal := Journal(lambda e, context: context.run_in_child_context(child, config=ChildConfig(is_virtual=True)))).run()
    assert outcome.error.type.endswith("ChildContextError")
    assert journal.written == []


def test_a_recorded_context_cannot_become_virtual() -> None:
    config = ChildConfig[int]()

    def handler(event: Any, context: DurableContext) -> Any:
        context.run_in_child_context(lambda c: c.step("s", lambda: 1), "v", config)

    journal = Journal(handler)
    journal.run()
    config = ChildConfig(is_virtual=True)
    outcome = journal.invoke()
    assert outcome.status is InvocationStatus.FAILED
    assert outcome.error.type.endswith(NonDeterministicExecutionError.__name__)


def test_an_end_that_cannot_be_recorded_is_not_taken_for_a_failure_of_the_body() -> None:
    class Refusing(Journal):
        def checkpoint(self, *updates: Any) -> None:
            if updates and updates[-1].action is OperationAction.SUCCEED and updates[-1].name == "c":
                raise InvocationError("the journal is away")
            super().checkpoint(*updates)

    outcome = Refusing(lambda event, context: context.run_in_child_context("c", lambda c: c.step(lambda: 1))).invoke()
    assert outcome.invocation_failed
