"""What a durable call refuses to be given: by name and value, before anything is recorded."""

from collections.abc import Callable
from typing import Any

import pytest

from execution_engine import (
    CompletionConfig,
    DurableContext,
    MapConfig,
    ParallelBranch,
    RetryPolicy,
    RetryPresets,
    StepConfig,
    WaitForCallbackConfig,
)
from execution_engine.testing import DurableExecutionTestClient
from tests.execution_engine.sdk.journal import Journal


def double(context: DurableContext, item: int, index: int, items: list[int]) -> int:
    return item * 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda context: context.step("pay", 5), "step needs a callable, got 5: hand over the function itself"),
        (lambda context: context.step("pay"), "step needs a callable, got None"),
        (lambda context: context.step(len, 5), "the name of a step is a text, got 5"),
        (lambda context: context.step("pay", len, RetryPolicy()), "step takes config=StepConfig(...), got RetryPolicy("),
        (lambda context: context.step("pay", len, {"retries": "x" * 500}), "x..."),
        (lambda context: context.run_in_child_context(len, config=StepConfig()), "run_in_child_context takes config=ChildConfig(...)"),
        (lambda context: context.map([1], double, config=StepConfig()), "map takes config=MapConfig(...)"),
        (lambda context: context.parallel([len], config=MapConfig()), "parallel takes config=ParallelConfig(...)"),
        (lambda context: context.create_callback("a", {"timeout": 1}), "create_callback takes config=CallbackConfig(...)"),
        (lambda context: context.wait_for_callback(len, config=StepConfig()), "wait_for_callback takes config=WaitForCallbackConfig(...)"),
        (lambda context: context.invoke("pay", 1, "name", {}), "invoke takes config=InvokeConfig(...)"),
        (lambda context: context.invoke("my name", "pay", {"amount": 1}), "an operation's name is a text, got {'amount': 1}"),
        (lambda context: context.map({1, 2}, double), "sorted(...) of a set; got {1, 2}"),
        (lambda context: context.map(iter([1]), double), "list(...) of an iterator"),
        (lambda context: context.map(None, double), "got None"),
        (lambda context: context.map([1], 5), "map needs a callable, got 5"),
        (lambda context: context.parallel(len), "parallel needs a list of functions, got <built-in function len>"),
        (lambda context: context.parallel([len, 5]), "got 5 at index 1: hand over functions, not their results"),
        (lambda context: context.step("pay", len, retry=5), "retry must be a RetryPolicy"),
        (lambda context: context.step("pay", len, StepConfig(retry_strategy=5)), "retry must be a RetryPolicy"),
    ],
)
def test_what_does_not_fit_is_named(call: Callable[[DurableContext], Any], said: str) -> None:
    outcome = (journal := Journal(lambda event, context: call(context))).run()
    assert outcome.error.type.endswith("ValidationError")
    assert said in outcome.error.message
    assert journal.written == []


def test_map_and_parallel_take_the_name_first_too() -> None:
    def handler(event: Any, context: DurableContext) -> list[list[int]]:
        doubled = context.map("double", [1, 2], double)
        return [doubled.get_results(), context.parallel("look", [lambda child: 7]).get_results()]

    execution = DurableExecutionTestClient().start_execution(handler)
    assert execution.get_result() == [[2, 4], [7]]
    assert {"double", "look"} <= {operation.name for operation in execution.operations}


def test_a_text_is_a_list_of_letters_for_a_map() -> None:
    def shout(context: DurableContext, letter: str, index: int, letters: str) -> str:
        return letter.upper()

    execution = DurableExecutionTestClient().start_execution(lambda event, context: context.map("ab", shout).get_results())
    assert execution.get_result() == ["A", "B"]


@pytest.mark.parametrize("kind", [StepConfig, WaitForCallbackConfig])
def test_a_preset_needs_no_call_in_a_config(kind: Any) -> None:
    decision = kind(retry_strategy=RetryPresets.none).retry_strategy(ValueError(), 1)
    assert decision.should_retry is False


@pytest.mark.parametrize("answer", [None, True, 5])
def test_a_strategy_that_decides_nothing_is_named(answer: Any) -> None:
    def fail() -> None:
        raise ValueError("no")

    journal = Journal(lambda event, context: context.step("pay", fail, retry=lambda error, attempt: answer))
    assert f"the retry strategy of STEP 'pay' answered {answer!r}; it has to answer RetryDecision" in journal.run().error.message


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda context: context.map([5], double, config=MapConfig(item_namer=lambda item, index: item)), "name is a text, got 5"),
        (
            lambda context: context.map([5], double, config=MapConfig(item_namer=lambda item, index: "Zo\u00eb")),
            "printable ASCII characters, got",
        ),
        (lambda context: context.parallel([ParallelBranch(len, "x" * 257)]), "name is 1 to 256"),
        (
            lambda context: context.map([5], double, config=MapConfig(completion_config=when(True))),
            "should_complete answered True; it has to",
        ),
        (lambda context: context.map([5], double, config=MapConfig(completion_config=when(None))), "should_complete answered None"),
    ],
)
def test_names_and_decisions_of_branches_have_the_same_rules(call: Callable[[DurableContext], Any], said: str) -> None:
    error = Journal(lambda event, context: call(context)).run().error
    assert error.type.endswith("ChildContextError")
    assert said in error.message


def when(answer: Any) -> CompletionConfig:
    return CompletionConfig(should_complete=lambda status: answer)
