"""DESIGN 3.15: signals are consumed by an open waiter or buffered; consuming and completing are one commit, oldest first."""

from typing import Any

import pytest

from execution_engine import DurableContext, Duration, durable_execution
from execution_engine.core.errors import ExecutionEndedError, InvalidInputError
from execution_engine.models import Signal
from execution_engine.services import executions, signals
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE


@durable_execution(name="test-two-signals")
def two_signals(event: Any, context: DurableContext) -> list[Any]:
    if event.get("rest"):
        context.wait(Duration.from_seconds(1))
    return [context.wait_for_signal("news", timeout=Duration.from_minutes(5)).payload for _ in range(2)]


def test_signals_sent_early_are_taken_oldest_first(runtime: Runtime) -> None:
    handle = two_signals.start({"rest": True})
    for number in (1, 2, 3):
        handle.signal("news", {"n": number})

    assert handle.result(timeout=PATIENCE) == [{"n": 1}, {"n": 2}]
    taken = list(Signal.objects.filter(execution_id=handle.id).order_by("id").values_list("consumed_by", flat=True))
    assert [bool(operation) for operation in taken] == [True, True, False]


def test_a_signal_for_an_open_waiter_is_not_buffered(runtime: Runtime) -> None:
    handle = two_signals.start({})
    handle.signal("other", None)
    handle.signal("news", "a")
    handle.signal("news", "b")

    assert handle.result(timeout=PATIENCE) == ["a", "b"]


def test_a_signal_for_an_ended_execution_is_refused(transactional_db: None) -> None:
    handle = two_signals.start({})
    executions.stop_execution(handle.id)

    with pytest.raises(ExecutionEndedError) as refused:
        signals.send_signal(handle.id, "news", "1")
    assert refused.value.facts["execution_status"] == "STOPPED"


@pytest.mark.parametrize("name", ["", "x" * 257, "nul\x00"])
def test_a_bad_name_is_refused(transactional_db: None, name: str) -> None:
    with pytest.raises(InvalidInputError):
        signals.send_signal(two_signals.start({}).id, name, None)
