"""One small function per kind of operation, and what people do while its history is recorded. Recorded once: do not change them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from execution_engine import (
    CompletionConfig,
    DurableContext,
    InvokeConfig,
    InvokeError,
    MapConfig,
    NestingType,
    ParallelConfig,
    RetryPolicy,
    RetryPresets,
    StepConfig,
    StepError,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionDecision,
    WithRetryConfig,
    durable_execution,
    with_retry,
)
from execution_engine.core.serdes import ExtendedTypeSerDes
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest

LARGE = 300_000
"""Characters, more than 256 KiB: a context with such a result is rebuilt by running its body again."""


def failing(attempts: int) -> Callable[[Any], str]:
    def body(step: Any) -> str:
        if step.attempt < attempts:
            raise ConnectionError(f"attempt {step.attempt}")
        return f"after {step.attempt}"

    return body


@durable_execution(name="history-steps")
def steps(event: Any, context: DurableContext) -> list[Any]:
    once = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    rich = context.step(
        "rich", lambda: {"at": date(2026, 1, 1), "tuple": (Decimal("1.5"), b"2")}, config=StepConfig(serdes=ExtendedTypeSerDes())
    )
    retried = context.step(failing(3), name="retried", retry=RetryPolicy(max_attempts=3, initial_interval=1))
    try:
        context.step("hopeless", lambda: 1 / 0, retry=RetryPolicy(max_attempts=1))
    except StepError as error:
        caught = [error.error_type, error.message]
    return [str(rich), retried, caught, context.step("once", lambda: 1, config=once), str(context.uuid()), context.random().random()]


@durable_execution(name="history-waits")
def waits(event: Any, context: DurableContext) -> list[str]:
    first = context.now()
    context.wait(days=1, name="a day")
    second = context.now()
    context.wait(5)
    return [str(second - first), str(context.now() - second)]


@durable_execution(name="history-polls")
def polls(event: Any, context: DurableContext) -> int:
    def decide(state: int, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if state == 3 else WaitForConditionDecision.continue_waiting(10)

    config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
    return context.wait_for_condition(lambda state, _: state + 1, config, name="poll")


@durable_execution(name="history-callbacks")
def callbacks(event: Any, context: DurableContext) -> list[Any]:
    plain, silent = context.create_callback("plain"), context.create_callback("silent", timeout=60, heartbeat_timeout=10)
    sent: list[str] = []
    answer = context.wait_for_callback(lambda callback_id, _: sent.append(callback_id), name="handed out")
    found = [answer, plain.result()]
    try:
        silent.result()
    except Exception as error:
        found.append(type(error).__name__)
    return found


@durable_execution(name="history-signals")
def signals(event: Any, context: DurableContext) -> list[Any]:
    early = context.wait_for_signal("early").payload
    late = context.wait_for_signal("late", timeout=60, on_timeout="assumed")
    return [early, late.signal_name, late.timed_out]


@durable_execution(name="history-approvals")
def approvals(event: Any, context: DurableContext) -> list[Any]:
    decision = context.wait_for_approval("manager", title="May I?", details={"amount": 5}, group="managers", timeout=600)
    return [decision.approved, decision.by, decision.comment]


@durable_execution(name="history-children")
def children(event: Any, context: DurableContext) -> list[Any]:
    def inner(child: DurableContext) -> list[Any]:
        child.wait(1)
        return [child.step("deep", lambda: 2), child.run_in_child_context("deeper", lambda last: last.step("deepest", lambda: 3))]

    large = context.run_in_child_context("large", lambda child: child.step("makes", lambda: "x") * LARGE)
    return [context.run_in_child_context("block", inner), len(large)]


@durable_execution(name="history-maps")
def maps(event: Any, context: DurableContext) -> list[Any]:
    def item(child: DurableContext, value: int, index: int, _: Any) -> int:
        child.wait(1, name="pause")
        return child.step("double", lambda: 1 // (value - 2) + value)

    tolerant = CompletionConfig.all_completed()
    retry = MapConfig(max_concurrency=1, completion_config=tolerant)
    nested = context.map([1, 2, 3], lambda *given: item(*given) if given[1] != 2 else fails(given[0]), name="nested", config=retry)
    flat = context.map([4, 5], item, name="flat", config=MapConfig(max_concurrency=1, nesting_type=NestingType.FLAT))
    return [nested.get_results(), [error.message for error in nested.get_errors()], flat.get_results()]


def fails(child: DurableContext) -> None:
    child.step("fails", lambda: 1 / 0, retry=RetryPresets.none())


@durable_execution(name="history-parallels")
def parallels(event: Any, context: DurableContext) -> list[Any]:
    first = ParallelConfig(completion_config=CompletionConfig.first_successful(), max_concurrency=1)
    quick = context.parallel([lambda child: child.step("a", lambda: "a"), lambda child: child.step("b", lambda: "b")], "race", first)
    large = [lambda child: child.step("large", lambda: "x") * LARGE, lambda child: child.step("small", lambda: "small")]
    both = context.parallel(large, "both", ParallelConfig(max_concurrency=1))
    return [quick.get_results(), [len(result) for result in both.get_results()]]


@durable_execution(name="history-invokes")
def invokes(event: Any, context: DurableContext) -> list[Any]:
    answer = context.invoke("history-waits", {"n": 1}, name="child", config=InvokeConfig(tenant_id="acme"))
    try:
        context.invoke("nobody-knows-it", None, name="unknown")
    except InvokeError as error:
        return [answer, error.error_type]
    return []


@durable_execution(name="history-retried-blocks")
def retried_blocks(event: Any, context: DurableContext) -> Any:
    def block(inner: DurableContext, attempt: int) -> str:
        inner.step("first", lambda: attempt)
        return inner.step("second", failing(1) if attempt > 1 else lambda: 1 / 0, retry=RetryPresets.none())

    return with_retry(context, block, WithRetryConfig(retry_strategy=RetryPolicy(max_attempts=2, initial_interval=5)), "block")


@durable_execution(name="history-failures")
def failures(event: Any, context: DurableContext) -> None:
    context.run_in_child_context("block", lambda child: child.step("breaks", lambda: {}["missing"], retry=RetryPresets.none()))


@dataclass(frozen=True)
class Kind:
    handler: Callable[..., Any]
    act: Callable[[ExecutionUnderTest], None] = lambda _: None
    """What people do; time is skipped after it."""

    @property
    def name(self) -> str:
        return str(self.handler.name)  # type: ignore[attr-defined]

    def record(self) -> ExecutionUnderTest:
        execution = DurableExecutionTestClient().start_execution(self.handler, {"n": 1})
        self.act(execution)
        execution.run_until_complete()
        return execution


def answer_all(execution: ExecutionUnderTest) -> None:
    for callback in execution.get_pending_callbacks():
        if callback.name != "silent":
            callback.complete("yes")
    execution.skip_time(10)


def signal(execution: ExecutionUnderTest) -> None:
    execution.signal("early", {"a": 1})
    execution.skip_time(60)


def approve(execution: ExecutionUnderTest) -> None:
    execution.get_pending_approvals()[0].decide(True, "ada", comment="fine")


def redrive(execution: ExecutionUnderTest) -> None:
    """Once, so that the recorded operations are those of a redriven execution; it fails again."""
    execution.redrive(reason="once more")


KINDS = (
    Kind(steps),
    Kind(waits),
    Kind(polls),
    Kind(callbacks, answer_all),
    Kind(signals, signal),
    Kind(approvals, approve),
    Kind(children),
    Kind(maps),
    Kind(parallels),
    Kind(invokes),
    Kind(retried_blocks),
    Kind(failures, redrive),
)
