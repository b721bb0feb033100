"""step: semantics note 3.2, per status found."""

from typing import Any

import pytest

from execution_engine import (
    DurableContext,
    Duration,
    ExecutionError,
    RetryableSerDesError,
    RetryDecision,
    RetryPolicy,
    RetryPresets,
    SerDes,
    SerDesContext,
    SerDesError,
    StepConfig,
    StepContext,
    StepError,
    StepSemantics,
    ValidationError,
    durable_step,
)
from execution_engine.core.enums import InvocationStatus, OperationAction, OperationStatus
from execution_engine.core.records import OperationUpdate
from tests.execution_engine.sdk.journal import Crash, Journal

AT_MOST_ONCE = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)


def actions(journal: Journal) -> list[OperationAction]:
    return [update.action for update in journal.written]


def test_a_step_runs_once_and_replays_its_result() -> None:
    runs: list[int] = []

    def handler(event: dict[str, Any], context: DurableContext) -> Any:
        return context.step(lambda: runs.append(1) or {"n": (1, 2)}, name="count")["n"][1]

    journal = Journal(handler)
    assert journal.run().result == "2"
    assert journal.invoke().result == "2"
    assert runs == [1]
    assert actions(journal) == ["START", "SUCCEED"]
    assert journal.checkpoints == 1
    assert journal.named("count").payload == '{"t":"m","v":{"n":{"t":"t","v":[{"t":"i","v":1},{"t":"i","v":2}]}}}'


def test_a_decorated_step_gives_its_name_and_binds_arguments() -> None:
    @durable_step
    def greet(step: StepContext, who: str, *, mark: str = ".") -> str:
        return f"hello {who}{mark}"

    def handler(event: Any, context: DurableContext) -> str:
        return context.step(greet(event, mark="!"))

    journal = Journal(handler, '"world"')
    assert journal.run().result == '"hello world!"'
    assert journal.named("greet").sub_type == "Step"


@pytest.mark.parametrize(
    "call",
    [
        lambda context: context.step(lambda _: 1, "named"),
        lambda context: context.step("named", lambda: 1),
        lambda context: context.step(lambda: 1, name="named"),
        lambda context: context.step(func=lambda one=1: one, name="named", config=StepConfig()),
        lambda context: context.step("named", lambda context: context.attempt),
        lambda context: context.step("named", lambda *arguments: arguments[0].attempt),
        lambda context: context.step("named", lambda step=None: step.attempt),
    ],
)
def test_every_call_shape_works(call: Any) -> None:
    journal = Journal(lambda event, context: call(context))
    assert journal.run().result == "1"
    assert journal.named("named").status is OperationStatus.SUCCEEDED


def test_a_failing_step_is_tried_again_after_its_delay_and_counts_attempts() -> None:
    attempts: list[int] = []

    def flaky(step: StepContext) -> str:
        attempts.append(step.attempt)
        if step.attempt < 3:
            raise ValueError(f"not yet {step.attempt}")
        return "done"

    def handler(event: Any, context: DurableContext) -> str:
        return context.step("flaky", flaky, retry=RetryPolicy(max_attempts=5, initial_interval=2))

    journal = Journal(handler)
    assert journal.invoke().status is InvocationStatus.PENDING
    record = journal.named("flaky")
    assert (record.status, record.attempt, record.error.type, record.error.message) == (
        OperationStatus.PENDING,
        1,
        "ValueError",
        "not yet 1",
    )
    assert journal.run().result == '"done"'
    assert attempts == [1, 2, 3]
    assert [update.options.delay for update in journal.written if update.action is OperationAction.RETRY] == [2, 4]
    assert actions(journal) == ["START", "RETRY", "START", "RETRY", "START", "SUCCEED"]


class CardDeclined(Exception):
    pass


def caught(context: DurableContext, **options: Any) -> list[Any]:
    def pay() -> None:
        raise CardDeclined("no funds")

    try:
        context.step("pay", pay, **options)
    except StepError as error:
        cause = error.__cause__
        return [type(error).__name__, str(error), error.message, error.error_type, error.stack_trace, str(cause), type(cause).__name__]
    return []


@pytest.mark.parametrize("options", [{"retry": RetryPolicy(non_retryable=[CardDeclined])}, {"retry": RetryPresets.none()}])
def test_the_first_run_raises_what_replay_raises(options: dict[str, Any]) -> None:
    seen: list[list[Any]] = []
    journal = Journal(lambda event, context: seen.append(caught(context, **options)))
    journal.run()
    journal.invoke()
    assert seen[0] == seen[1]
    kind, text, message, error_type, stack, cause, cause_kind = seen[0]
    assert (kind, text, message, cause, cause_kind) == ("StepError", "no funds", "no funds", "no funds", "DurableOperationError")
    assert error_type == f"{__name__}.CardDeclined"
    assert "in pay" in stack[-1]
    assert not any("sdk/operations/" in line for line in stack)


def test_an_interrupted_attempt_runs_again_without_a_second_start() -> None:
    runs: list[int] = []

    def body() -> str:
        runs.append(1)
        if len(runs) == 1:
            journal.checkpoint()  # the held START is written after 50 ms
            raise Crash
        return "ok"

    journal = Journal(lambda event, context: context.step("s", body))
    with pytest.raises(Crash):
        journal.invoke()
    assert journal.named("s").status is OperationStatus.STARTED
    assert journal.run().result == '"ok"'
    assert actions(journal) == ["START", "SUCCEED"]


@pytest.mark.parametrize(("attempts", "ended"), [(1, ["START", "FAIL"]), (2, ["START", "RETRY", "START", "SUCCEED"])])
def test_an_interrupted_at_most_once_step_asks_its_strategy(attempts: int, ended: list[str]) -> None:
    runs: list[int] = []

    def body() -> str:
        runs.append(1)
        if len(runs) == 1:
            raise Crash
        return "second"

    def handler(event: Any, context: DurableContext) -> str:
        try:
            return context.step("s", body, config=AT_MOST_ONCE, retry=RetryPolicy(max_attempts=attempts))
        except StepError as error:
            return error.error_type.rpartition(".")[2]

    journal = Journal(handler)
    with pytest.raises(Crash):
        journal.invoke()
    assert actions(journal) == ["START"]
    assert journal.run().result == ('"StepInterruptedError"' if attempts == 1 else '"second"')
    assert actions(journal) == ended


def test_an_execution_error_ends_the_execution_and_records_no_end_of_the_step() -> None:
    def body() -> None:
        raise ExecutionError("give up")

    outcome = (journal := Journal(lambda event, context: context.step("s", body))).run()
    assert outcome.status is InvocationStatus.FAILED
    assert (outcome.error.message, outcome.invocation_failed) == ("give up", False)
    assert actions(journal) == []


class Shouting(SerDes[str]):
    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return value.upper()

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data


def test_a_custom_serdes_writes_the_payload_and_its_round_trip_is_returned() -> None:
    journal = Journal(lambda event, context: context.step(lambda: "hello", "s", StepConfig(serdes=Shouting())))
    assert journal.run().result == '"HELLO"'
    assert journal.named("s").payload == "HELLO"


class Failing(Shouting):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        raise self.error


def test_a_failing_serdes_fails_the_step_without_a_retry() -> None:
    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.step("s", lambda: "x", config=StepConfig(serdes=Failing(OSError("disk"))))
        except SerDesError as error:
            return str(error)
        return "no error"

    journal = Journal(handler)
    first = journal.run().result
    assert first == """"Serialization failed for STEP 's': disk\""""
    assert journal.invoke().result == first
    assert actions(journal) == ["START", "FAIL"]


def test_a_result_that_cannot_be_written_fails_the_step() -> None:
    outcome = (journal := Journal(lambda event, context: context.step("s", object))).run()
    assert outcome.status is InvocationStatus.FAILED
    assert outcome.error.type.endswith("SerDesError")
    assert actions(journal) == ["START", "FAIL"]


def test_a_retryable_serdes_error_fails_the_invocation() -> None:
    config = StepConfig(serdes=Failing(RetryableSerDesError("share is away")))
    outcome = Journal(lambda event, context: context.step("s", lambda: "x", config=config)).invoke()
    assert outcome.invocation_failed


def test_a_strategy_gets_the_error_and_the_attempts_made() -> None:
    asked: list[tuple[str, int]] = []

    def strategy(error: Exception, attempts: int) -> RetryDecision:
        asked.append((str(error), attempts))
        return RetryDecision.retry(Duration(0)) if attempts < 2 else RetryDecision.no_retry()

    def body() -> None:
        raise ValueError("no")

    journal = Journal(lambda event, context: context.step(body, "s", StepConfig(strategy)))
    assert journal.run().status is InvocationStatus.FAILED
    assert asked == [("no", 1), ("no", 2)]
    assert next(update.options.delay for update in journal.written if update.action is OperationAction.RETRY) == 1


def test_an_attempt_that_is_due_at_once_goes_on_in_the_same_invocation() -> None:
    class Eager(Journal):
        def checkpoint(self, *updates: OperationUpdate) -> None:
            super().checkpoint(*updates)
            self.skip()

    runs: list[int] = []

    def body() -> int:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError
        return len(runs)

    journal = Eager(lambda event, context: context.step("s", body, retry=RetryPolicy()))
    assert journal.invoke().result == "2"


def test_sub_type_replaces_the_default() -> None:
    journal = Journal(lambda event, context: context.step("s", lambda: 1, config=StepConfig(sub_type="Mail")))
    journal.run()
    assert journal.named("s").sub_type == "Mail"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda context: context.step("only a name"),
        lambda context: context.step(lambda: 1, name=5),
        lambda context: context.step("naïve", lambda: 1),
        lambda context: context.step("x" * 257, lambda: 1),
        lambda context: context.step("s", lambda: 1, retry="often"),
        lambda context: context.step("s", lambda: 1, config=StepConfig(sub_type="not allowed")),
        lambda context: context.step("s", lambda: 1, config=StepConfig(atomic="replica")),
    ],
)
def test_wrong_calls_are_refused_before_anything_is_recorded(wrong: Any) -> None:
    outcome = (journal := Journal(lambda event, context: wrong(context))).run()
    assert outcome.error.type.endswith(ValidationError.__name__)
    assert journal.written == []


def test_an_atomic_step_records_start_and_end_together() -> None:
    journal = Journal(lambda event, context: context.step("s", lambda: 1, config=StepConfig(atomic=True)))
    assert journal.run().result == "1"
    assert (actions(journal), journal.checkpoints) == (["START", "SUCCEED"], 1)


def test_a_failing_atomic_step_records_its_start_with_the_failure() -> None:
    def body(step: StepContext) -> int:
        if step.attempt == 1:
            raise ValueError("rolled back")
        return step.attempt

    journal = Journal(lambda event, context: context.step("s", body, config=StepConfig(atomic=True), retry=RetryPolicy()))
    assert journal.run().result == "2"
    assert actions(journal) == ["START", "RETRY", "START", "SUCCEED"]
