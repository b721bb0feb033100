"""Durable functions of many shapes, over which the replay laws are tried."""

from collections.abc import Callable
from typing import Any

from execution_engine import (
    CallbackError,
    ChildConfig,
    ChildContextError,
    DurableContext,
    RetryPolicy,
    StepConfig,
    StepContext,
    StepError,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionError,
    WaitStrategyConfig,
    create_wait_strategy,
)

AT_MOST_ONCE = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
TWICE = RetryPolicy(max_attempts=2, initial_interval=3)
UNTIL_3 = create_wait_strategy(WaitStrategyConfig(lambda state: state < 3))


def fail_once(step: StepContext) -> int:
    if step.attempt == 1:
        raise ValueError("first attempt")
    return step.attempt


def fail(*_: Any) -> None:
    raise ValueError("always")


def steps(event: Any, context: DurableContext) -> Any:
    return [context.step(f"s{number}", lambda number=number: number) for number in range(5)]


def waits_between_steps(event: Any, context: DurableContext) -> Any:
    first = context.step("a", lambda: {"at": 1})
    context.wait("pause", hours=1)
    second = context.step("b", lambda: (first["at"], 2))
    context.wait(seconds=1)
    return [second, str(context.now()), str(context.uuid())]


def retries(event: Any, context: DurableContext) -> Any:
    value = context.step("flaky", fail_once, retry=TWICE)
    try:
        context.step("hopeless", fail, retry=TWICE)
    except StepError as error:
        return [value, str(error), error.error_type]
    return None


def at_most_once(event: Any, context: DurableContext) -> Any:
    try:
        return context.step("once", lambda: "ran", config=AT_MOST_ONCE, retry=RetryPolicy(max_attempts=1))
    except StepError:
        return "ran"  # an interrupted attempt may have run: either way the law holds


def atomic(event: Any, context: DurableContext) -> Any:
    return context.step("money", fail_once, config=StepConfig(atomic=True), retry=TWICE)


def nested(event: Any, context: DurableContext) -> Any:
    def inner(child: DurableContext) -> str:
        child.wait(seconds=2)
        return child.step("deep", lambda: "deep")

    def outer(child: DurableContext) -> list[str]:
        return [child.step("before", lambda: "b"), child.run_in_child_context("inner", inner), str(child.uuid())]

    try:
        context.run_in_child_context("failing", lambda child: child.step("f", fail, retry=RetryPolicy(max_attempts=1)))
    except ChildContextError as error:
        return [context.run_in_child_context("outer", outer), str(error)]
    return None


def virtual(event: Any, context: DurableContext) -> Any:
    def body(child: DurableContext) -> int:
        child.wait(seconds=1)
        return child.step("in virtual", lambda: 4)

    return [context.run_in_child_context(body, f"v{number}", ChildConfig(is_virtual=True)) for number in range(2)]


def large(event: Any, context: DurableContext) -> Any:
    text = context.run_in_child_context("large", lambda child: child.step("x", lambda: "x") * 300_000)
    context.wait(seconds=1)
    return len(text)


def polls(event: Any, context: DurableContext) -> Any:
    value = context.wait_for_condition(lambda state: state + 1, WaitForConditionConfig(UNTIL_3, 0), "poll")
    try:
        context.wait_for_condition(fail, WaitForConditionConfig(UNTIL_3, 0), "broken")
    except WaitForConditionError as error:
        return [value, str(error)]
    return None


def callbacks(event: Any, context: DurableContext) -> Any:
    callback = context.create_callback("ask", timeout=60)
    context.step("send", lambda: None)
    try:
        callback.result()
    except CallbackError as error:
        said = str(error)
    try:
        context.wait_for_callback("other", lambda callback_id: None, timeout=30)
    except CallbackError as error:
        return [said, type(error).__name__]
    return None


def signals(event: Any, context: DurableContext) -> Any:
    first = context.wait_for_signal("early")
    second = context.wait_for_signal("never", timeout=5, on_timeout="reject")
    return [first.payload, second.signal_name]


SHAPES: list[Callable[[Any, DurableContext], Any]] = [
    steps,
    waits_between_steps,
    retries,
    at_most_once,
    atomic,
    nested,
    virtual,
    large,
    polls,
    callbacks,
    signals,
]
