"""What a rehearsal says of code that hangs, raises, answers something else or is not there."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from execution_engine import CompletionConfig, DurableContext, MapConfig, RetryPolicy
from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus
from execution_engine.invocation.rehearsal import rehearse as rehearsals
from execution_engine.invocation.rehearsal.findings import Rehearsal, Verdict
from execution_engine.invocation.rehearsal.rehearse import rehearse
from execution_engine.sdk.registry import describe
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution
from tests.waiting import PATIENCE

ONCE = RetryPolicy(max_attempts=1)


def order(event: Any, context: DurableContext) -> int:
    price = context.step("price", lambda: 10)
    context.wait("cool-off", 60)
    return context.step("pay", lambda: price)


def waiting() -> RecordedExecution:
    return DurableExecutionTestClient().start_execution(order, {}).record()


def finished() -> RecordedExecution:
    execution = DurableExecutionTestClient().start_execution(order, {})
    execution.run_until_complete()
    return execution.record()


def after_price(act: Any) -> Any:
    def handler(event: Any, context: DurableContext) -> Any:
        context.step("price", lambda: 10)
        return act()

    return describe(handler)


def loop() -> None:
    while True:
        pass


def stubborn_loop() -> None:
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            continue


@pytest.mark.parametrize("hangs", [loop, stubborn_loop, lambda: time.sleep(1)])
def test_code_that_hangs_is_given_up_and_its_place_named(hangs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "GRACE_SECONDS", PATIENCE)
    found = rehearse(after_price(hangs), waiting(), seconds=0.5)
    assert (found.verdict, found.problem) == (Verdict.UNFINISHED, "the code did not come back within 0.5 s")
    assert found.where.startswith(f"{__name__}:")
    assert not [thread for thread in threading.enumerate() if thread.name == "durable-rehearsal"]


def test_after_too_many_that_cannot_be_stopped_nothing_is_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(rehearsals, "MAX_LOST_THREADS", 1)
    release = threading.Event()
    assert rehearse(after_price(lambda: release.wait(PATIENCE)), waiting(), seconds=0.1).verdict is Verdict.UNFINISHED
    refused = rehearse(describe(order), waiting())
    release.set()
    assert (refused.verdict, "still hang" in refused.problem) == (Verdict.UNKNOWN, True)
    while rehearsals._lost[0].is_alive():
        time.sleep(0.01)
    assert rehearse(describe(order), waiting()).verdict is Verdict.FITS


def test_an_error_of_the_codes_own_is_said_with_what_is_missing() -> None:
    def bug() -> None:
        raise KeyError("currency")

    found = rehearse(after_price(bug), waiting())
    assert found.verdict is Verdict.DIVERGES
    assert "'cool-off'" in found.summary and "the code raises KeyError: 'currency'" in found.summary
    assert found.where.endswith("in bug")


def test_an_error_behind_everything_recorded_fails() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        order(event, context)
        raise KeyError("currency")

    done = finished()
    for history in (done, replace(done, status=ExecutionStatus.RUNNING, result=None)):
        found = rehearse(describe(handler), history)
        assert (found.verdict, found.problem, found.divergences) == (Verdict.FAILS, "the code raises KeyError: 'currency'", ())


@pytest.mark.parametrize("leaves", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_leaves_the_handler_harms_nobody(leaves: BaseException) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step("price", lambda: 10)
        raise leaves

    found = rehearse(describe(handler), replace(waiting(), operations=waiting().operations[:1]))
    assert found.verdict is Verdict.FAILS


def test_another_result_is_no_divergence_but_said() -> None:
    def handler(event: Any, context: DurableContext) -> int:
        return order(event, context) * 2

    found = rehearse(describe(handler), finished())
    assert (found.verdict, found.result_differs, found.result) == (Verdict.FITS, True, "20")


def failing(event: Any, context: DurableContext) -> None:
    context.step("price", lambda: 10)
    context.step("pay", lambda: 1 / 0, retry=ONCE)


def test_a_failure_that_is_recorded_is_expected() -> None:
    failed = DurableExecutionTestClient().start_execution(failing, {}).record()
    assert failed.status == "FAILED"
    assert rehearse(describe(failing), failed).verdict is Verdict.FITS
    assert rehearse(describe(failing), replace(failed, status=ExecutionStatus.RUNNING, error=None)).verdict is Verdict.FITS


def test_code_that_nobody_has_and_code_without_replay() -> None:
    assert rehearse(None, waiting()).verdict is Verdict.MISSING
    plain = replace(describe(order), kind="plain", is_durable=False)
    assert (rehearse(plain, waiting()).verdict, Verdict.UNKNOWN.breaks, Verdict.MISSING.breaks) == (Verdict.UNKNOWN, False, True)


def test_what_is_open_is_told_apart() -> None:
    found = rehearse(describe(order), waiting())
    assert [one.name for one in found.kept] == ["price"]
    assert [one.name for one in found.waiting] == ["cool-off"]
    assert (found.outcome, found.next, found.rerun) == (InvocationStatus.PENDING, (), ())


def racing(event: Any, context: DurableContext) -> Any:
    config = MapConfig(completion_config=CompletionConfig(min_successful=1), max_concurrency=event.get("limit"))
    return context.map([30, 5, 600], lambda child, seconds, *_: child.wait("rest", seconds), "race", config).success_count


@pytest.mark.parametrize("limit", [None, 1, 2])
@pytest.mark.parametrize("seconds", [0, 5, 30])
def test_branches_that_a_policy_left_behind_are_not_missed(limit: int | None, seconds: int) -> None:
    execution = DurableExecutionTestClient().start_execution(racing, {"limit": limit})
    execution.skip_time(seconds)
    history = execution.record()
    assert rehearse(describe(racing), history).verdict is Verdict.FITS
    # A crash just before the end of the map was recorded.
    race = replace(history.operations[0], status=OperationStatus.STARTED, payload=None, ended_at=None)
    crashed = replace(history, operations=[race, *history.operations[1:]], status=ExecutionStatus.RUNNING, result=None)
    assert rehearse(describe(racing), crashed).verdict is Verdict.FITS


def large(event: Any, context: DurableContext) -> int:
    def big(child: DurableContext) -> str:
        return child.step("chunk", lambda: "x" * 200_000) + child.step("other", lambda: "y" * 200_000)

    whole = context.run_in_child_context(big, "whole")
    mapped = context.map([1, 2], lambda child, item, *_: child.step("part", lambda: "z" * 200_000), "parts").get_results()
    context.wait("later", 5)
    return len(whole) + len(mapped)


def test_large_results_are_rebuilt_and_compared_too() -> None:
    history = DurableExecutionTestClient().start_execution(large, {}).record()
    assert [one.name for one in history.operations if one.replay_children] == ["whole", "parts"]
    assert rehearse(describe(large), history).verdict is Verdict.FITS

    def fewer(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(lambda child: child.step("chunk", lambda: ""), "whole")

    def more(event: Any, context: DurableContext) -> None:
        context.run_in_child_context(lambda child: [child.step(name, lambda: "") for name in ("chunk", "other", "third")], "whole")

    def found(handler: Any) -> Rehearsal:
        return rehearse(describe(handler), history)

    assert "'other', the code no longer asks for it" in found(fewer).summary
    assert "'third'" in found(more).summary and "although CONTEXT/RunInChildContext 'whole' around it has ended" in found(more).summary


def test_two_thousand_items() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.map(list(range(2000)), lambda child, item, *_: child.step("one", lambda: item), "all")
        context.wait("later", 5)

    history = DurableExecutionTestClient().start_execution(handler, {}).record()
    found = rehearse(describe(handler), history)
    assert (found.verdict, len(found.kept)) == (Verdict.FITS, 4001)
