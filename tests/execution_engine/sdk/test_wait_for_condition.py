"""wait_for_condition: states, decisions, failures."""

from typing import Any

import pytest

from execution_engine import (
    DurableContext,
    Duration,
    JitterStrategy,
    SerDes,
    SerDesContext,
    WaitForConditionCheckContext,
    WaitForConditionConfig,
    WaitForConditionDecision,
    WaitForConditionError,
    WaitStrategyConfig,
    create_wait_strategy,
)
from execution_engine.core.enums import InvocationStatus, OperationAction, OperationStatus
from tests.execution_engine.sdk.journal import Crash, Journal

UNTIL_3 = create_wait_strategy(
    WaitStrategyConfig(lambda state: state["n"] < 3, initial_delay=Duration(2), jitter_strategy=JitterStrategy.NONE)
)


def test_a_condition_is_polled_with_its_state_until_it_holds() -> None:
    seen: list[tuple[Any, int]] = []

    def check(state: dict[str, int], context: WaitForConditionCheckContext) -> dict[str, int]:
        seen.append((dict(state), context.attempt))
        return {"n": state["n"] + 1}

    def handler(event: Any, context: DurableContext) -> Any:
        return context.wait_for_condition(check=check, config=WaitForConditionConfig(UNTIL_3, {"n": 0}), name="poll")

    journal = Journal(handler)
    assert journal.invoke().status is InvocationStatus.PENDING
    record = journal.named("poll")
    assert (record.status, record.sub_type, record.attempt, record.error) == (OperationStatus.PENDING, "WaitForCondition", 1, None)
    assert journal.run().result == '{"n": 3}'
    assert seen == [({"n": 0}, 1), ({"n": 1}, 2), ({"n": 2}, 3)]
    assert [update.action for update in journal.written] == ["START", "RETRY", "START", "RETRY", "START", "SUCCEED"]
    assert [update.options.delay for update in journal.written if update.action is OperationAction.RETRY] == [2, 3]
    assert journal.invoke().result == '{"n": 3}'
    assert len(seen) == 3


def test_the_name_may_come_first_and_a_check_may_take_the_state_only() -> None:
    config = WaitForConditionConfig(lambda state, attempt: WaitForConditionDecision.stop_polling(), 1)
    journal = Journal(lambda event, context: context.wait_for_condition("poll", lambda state: state + 1, config))
    assert journal.run().result == "2"
    assert journal.named("poll").attempt == 1


class Secret(SerDes[str]):
    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return f"ENC:{value}"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data.removeprefix("ENC:")


def test_a_custom_serdes_writes_every_state() -> None:
    def strategy(state: str, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if attempt == 2 else WaitForConditionDecision.continue_waiting(Duration())

    config = WaitForConditionConfig(strategy, "a", Secret())
    journal = Journal(lambda event, context: context.wait_for_condition(lambda state: state + "b", config))
    assert journal.run().result == '"abb"'
    assert [update.payload for update in journal.written] == [None, "ENC:ab", None, "ENC:abb"]
    assert [update.options.delay for update in journal.written] == [0, 1, 0, 0]


def failing(check: Any, strategy: Any) -> list[Any]:
    seen: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.wait_for_condition(check, WaitForConditionConfig(strategy, 0), "poll")
        except WaitForConditionError as error:
            seen.append([str(error), error.error_type])

    journal = Journal(handler)
    journal.run()
    journal.invoke()
    assert [update.action for update in journal.written][-1] is OperationAction.FAIL
    assert seen[0] == seen[1]
    return seen[0]


def test_an_exception_of_check_or_strategy_is_not_tried_again() -> None:
    def stop(state: int, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling()

    def broken(*_: Any) -> Any:
        raise KeyError("lost")

    assert failing(broken, stop) == ["'lost'", "KeyError"]
    assert failing(lambda state: state, broken) == ["'lost'", "KeyError"]


def test_used_up_attempts_fail_but_a_condition_met_last_wins() -> None:
    strategy = create_wait_strategy(WaitStrategyConfig(lambda state: state < 2, max_attempts=2, initial_delay=Duration(1)))
    message, error_type = failing(lambda state: 0, strategy)
    assert message == "the condition was not met in 2 attempts"
    assert error_type.endswith("WaitForConditionError")
    journal = Journal(lambda event, context: context.wait_for_condition(lambda s: s + 1, WaitForConditionConfig(strategy, 0)))
    assert journal.run().result == "2"


def test_an_interrupted_check_runs_again_without_a_second_start() -> None:
    runs: list[int] = []

    def check(state: int) -> int:
        runs.append(1)
        if len(runs) == 1:
            journal.checkpoint()
            raise Crash
        return state

    config = WaitForConditionConfig(lambda state, attempt: WaitForConditionDecision.stop_polling(), 5)
    journal = Journal(lambda event, context: context.wait_for_condition(check, config))
    with pytest.raises(Crash):
        journal.invoke()
    assert journal.run().result == "5"
    assert [update.action for update in journal.written] == ["START", "SUCCEED"]


@pytest.mark.parametrize("arguments", [(None, None), (lambda state: state, None), ("name", lambda state: state)])
def test_check_and_config_are_required(arguments: tuple[Any, Any]) -> None:
    outcome = Journal(lambda event, context: context.wait_for_condition(*arguments)).run()
    assert outcome.error.type.endswith("ValidationError")
