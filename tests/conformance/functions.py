"""Small durable functions, one per rule of the event history."""

import os
import re
import time
from pathlib import Path
from typing import Any

from execution_engine import (
    CallbackConfig,
    CallbackError,
    ChildConfig,
    ChildContextError,
    DurableContext,
    Duration,
    ExecutionError,
    InvocationError,
    JitterStrategy,
    RetryPresets,
    RetryStrategyConfig,
    SerDes,
    SerDesContext,
    StepConfig,
    StepContext,
    StepError,
    StepSemantics,
    WaitForCallbackConfig,
    WaitForCallbackContext,
    WaitForConditionCheckContext,
    WaitForConditionConfig,
    WaitForConditionDecision,
    create_retry_strategy,
    durable_execution,
    durable_step,
    durable_with_child_context,
)
from tests.waiting import comes

ONE_SECOND = Duration.from_seconds(1)
FIVE_SECONDS = Duration.from_seconds(5)
NO_RETRY = StepConfig(retry_strategy=RetryPresets.none())


class CardDeclined(Exception):
    """What a payment step raises."""


def every_second(attempts: int) -> Any:
    return create_retry_strategy(
        RetryStrategyConfig(max_attempts=attempts, initial_delay=ONE_SECOND, backoff_rate=1, jitter_strategy=JitterStrategy.NONE)
    )


@durable_step
def double(_step: StepContext, number: int) -> int:
    return number * 2


@durable_execution
def two_steps(event: Any, context: DurableContext) -> int:
    doubled = context.step(double(event), name="double")
    return context.step(lambda _: doubled + 1)


@durable_execution
def nothing(_event: Any, context: DurableContext) -> None:
    return context.step(lambda _: None, name="nothing")


@durable_execution
def retried(_event: Any, context: DurableContext) -> str:
    def pay(step: StepContext) -> str:
        if step.attempt < 3:
            raise CardDeclined(f"declined {step.attempt}")
        return "paid"

    return context.step(pay, name="pay", config=StepConfig(retry_strategy=every_second(5)))


@durable_execution
def exhausted(_event: Any, context: DurableContext) -> str:
    def pay(_step: StepContext) -> str:
        raise CardDeclined("declined")

    return context.step(pay, name="pay", config=StepConfig(retry_strategy=every_second(2)))


@durable_execution
def caught(_event: Any, context: DurableContext) -> str:
    def pay(_step: StepContext) -> str:
        raise CardDeclined("declined")

    try:
        context.step(pay, name="pay", config=NO_RETRY)
    except StepError as error:
        text = f"{error.error_type.rpartition('.')[2]}: {error.message}"
    context.wait(ONE_SECOND)
    return context.step(lambda _: text, name="report")


@durable_execution
def not_caught(_event: Any, context: DurableContext) -> None:
    context.step(lambda _: "kept", name="first")
    raise CardDeclined("no step, no catch")


class Upper(SerDes[str]):
    """Writes capitals, so that nobody can overlook it."""

    def serialize(self, value: str, _: SerDesContext) -> str:
        return value.upper()

    def deserialize(self, data: str, _: SerDesContext) -> str:
        return data


@durable_execution
def own_serdes(event: str, context: DurableContext) -> str:
    first = context.step(lambda _: event, name="step", config=StepConfig(serdes=Upper()))
    second = context.run_in_child_context(lambda _: f"child of {first}", name="child", config=ChildConfig(serdes=Upper()))
    return f"{first}/{second}"


@durable_execution
def structures(_event: Any, context: DurableContext) -> Any:
    return context.step(lambda _: {"tags": ["a", 1, None], "rate": 1.5}, name="build")


@durable_execution
def two_waits(_event: Any, context: DurableContext) -> str:
    context.wait(ONE_SECOND, name="first")
    context.wait(Duration.from_seconds(2))
    return "waited"


@durable_execution
def diverges(_event: Any, context: DurableContext) -> None:
    if context.is_replaying():
        context.step(lambda _: "another kind of operation", name="slot")
    context.wait(ONE_SECOND, name="slot")


@durable_execution
def gives_up(_event: Any, context: DurableContext) -> None:
    def body(child: DurableContext) -> None:
        def step(_step: StepContext) -> None:
            raise ExecutionError("no use in trying")

        child.step(step, name="step")

    context.run_in_child_context(body, name="child")


@durable_execution
def never_gets_through(_event: Any, _context: DurableContext) -> None:
    raise InvocationError("no connection")


@durable_execution(execution_timeout=FIVE_SECONDS)
def too_slow(_event: Any, context: DurableContext) -> None:
    context.wait(Duration.from_days(2), name="two days")


@durable_execution
def answered_while_it_runs(event: str, context: DurableContext) -> str:
    """`event` is the path of a file that comes when the answer was given; the step runs until then."""

    def slow(_step: StepContext) -> None:
        comes(Path(event).exists)

    callback = context.create_callback(name="manager")
    context.step(slow, name="slow")
    return callback.result()


@durable_execution
def long_wait(_event: Any, context: DurableContext) -> None:
    context.wait(Duration.from_days(2), name="two days")


@durable_execution
def approval(_event: Any, context: DurableContext) -> str:
    callback = context.create_callback(name="manager")
    context.step(lambda _: "mailed", name="mail")
    return callback.result()


@durable_execution
def answered_during_a_wait(_event: Any, context: DurableContext) -> str:
    callback = context.create_callback(name="manager")
    context.wait(Duration.from_seconds(4), name="pause")
    return callback.result()


@durable_execution
def two_callbacks(_event: Any, context: DurableContext) -> str:
    first = context.create_callback(name="first")
    second = context.create_callback(name="second")
    return f"{second.result()} {first.result()}"


@durable_execution
def callback_times_out(_event: Any, context: DurableContext) -> str:
    callback = context.create_callback(name="manager", config=CallbackConfig(timeout=ONE_SECOND))
    try:
        return callback.result()
    except CallbackError as error:
        return f"caught {type(error).__name__}: {error}"


@durable_execution
def heartbeat_missing(_event: Any, context: DurableContext) -> str:
    config = CallbackConfig(timeout=Duration.from_hours(1), heartbeat_timeout=ONE_SECOND)
    return context.create_callback(name="manager", config=config).result()


def submit(_callback_id: str, _context: WaitForCallbackContext) -> None:
    """Tells somebody; here nobody."""


@durable_execution
def submitted(_event: Any, context: DurableContext) -> str:
    return context.wait_for_callback(submit, name="bank", config=WaitForCallbackConfig(timeout=Duration.from_hours(1)))


@durable_execution
def submitted_without_a_name(_event: Any, context: DurableContext) -> Any:
    return context.wait_for_callback(lambda _callback_id, _context: None)


@durable_execution
def submitter_fails(_event: Any, context: DurableContext) -> Any:
    def refuse(_callback_id: str, _context: WaitForCallbackContext) -> None:
        raise ConnectionError("bank is closed")

    return context.wait_for_callback(refuse, name="bank", config=WaitForCallbackConfig(retry_strategy=every_second(2)))


@durable_execution
def polled(event: int, context: DurableContext) -> int:
    def look(state: int, check: WaitForConditionCheckContext) -> int:
        assert check.attempt == state + 1
        return state + 1

    def enough(state: int, _attempt: int) -> WaitForConditionDecision:
        if state >= event:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(ONE_SECOND)

    return context.wait_for_condition(look, WaitForConditionConfig(wait_strategy=enough, initial_state=0), name="poll")


@durable_execution
def poll_fails(_event: Any, context: DurableContext) -> Any:
    def look(_state: None, _check: WaitForConditionCheckContext) -> None:
        raise ConnectionError("gone")

    def always(_state: None, _attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.continue_waiting(ONE_SECOND)

    return context.wait_for_condition(look, WaitForConditionConfig(wait_strategy=always, initial_state=None), name="poll")


@durable_with_child_context
def inner(child: DurableContext, text: str) -> str:
    child.wait(ONE_SECOND, name="inside")
    return child.step(lambda _: text, name="echo")


@durable_with_child_context
def outer(child: DurableContext, text: str) -> str:
    child.step(lambda _: "before", name="before")
    return child.run_in_child_context(inner(text), name="inner")


@durable_execution
def nested(event: str, context: DurableContext) -> str:
    found = context.run_in_child_context(outer(event))
    context.wait(ONE_SECOND, name="after")
    return found


@durable_execution
def child_fails(_event: Any, context: DurableContext) -> str:
    def body(_child: DurableContext) -> None:
        raise CardDeclined("in the child")

    try:
        context.run_in_child_context(body, name="child")
    except ChildContextError as error:
        return str(error)
    return "not reached"


@durable_execution
def large_child(_event: Any, context: DurableContext) -> int:
    def body(child: DurableContext) -> str:
        return child.step(lambda _: "x" * 100, name="small") * 3000

    found = context.run_in_child_context(body, name="large", config=ChildConfig(summary_generator=lambda text: f"{len(text)} letters"))
    context.wait(ONE_SECOND)
    return len(found)


def attempt_after_crash(marker: Any, step: StepContext) -> str:
    """With the path of a file that is not there yet: ends the process, as a crash does. A test in memory brings no path."""
    if isinstance(marker, str) and not Path(marker).exists():
        Path(marker).touch()
        time.sleep(1.5)  # held starts are written by then, on a busy machine too
        os._exit(1)
    return f"attempt {step.attempt}"


@durable_execution
def at_most_once(event: Any, context: DurableContext) -> str:
    config = StepConfig(retry_strategy=every_second(2), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    return context.step(lambda step: attempt_after_crash(event, step), name="once", config=config)


@durable_execution
def at_most_once_without_retry(event: Any, context: DurableContext) -> str:
    config = StepConfig(retry_strategy=RetryPresets.none(), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    return context.step(lambda step: attempt_after_crash(event, step), name="once", config=config)


@durable_execution
def at_least_once(event: Any, context: DurableContext) -> str:
    def body(child: DurableContext) -> str:
        return child.step(lambda step: attempt_after_crash(event, step), name="again")

    return context.run_in_child_context(body, name="child")


def last_word(error_type: str) -> str:
    """The class name of a qualified one; `Callback.Timeout` and the like are names as they are."""
    return error_type if re.match(r"(Callback|Runtime|Sandbox)\.", error_type) else error_type.rpartition(".")[2]
