"""Limits as a real worker obeys them: never more handlers at once, places given on without waiting, `fn.run()` takes its turn."""

import threading
import time
from typing import Any

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.core.limits import Limits
from execution_engine.models import Execution
from execution_engine.services.limits import set_limits
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime

_lock = threading.Lock()
_running: set[str] = set()
_most: dict[str, int] = {}


@durable_execution(name="test-limited")
def limited(event: str, context: DurableContext) -> str:
    """Its parts are counted, and between them it waits: suspended it does not count."""
    for part in ("first", "second"):
        with _lock:
            _running.add(context.execution_id)
            _most["limited"] = max(_most.get("limited", 0), len(_running))
        time.sleep(0.01)
        with _lock:
            _running.discard(context.execution_id)
        if part == "first":
            context.wait(seconds=1)
    return event


@pytest.fixture
def serving(transactional_db: None) -> Any:
    _most.clear()
    runtime = make_runtime(THREADS=8)
    runtime.start()
    yield runtime
    runtime.stop()


def test_no_more_handlers_run_than_the_limit(serving: Runtime) -> None:
    limited.start("registers")
    set_limits("test-limited", Limits(concurrency=2))
    handles = [limited.start(str(number)) for number in range(20)]

    assert [handle.result(60) for handle in handles] == [str(number) for number in range(20)]
    assert 1 <= _most["limited"] <= 2


def test_run_takes_its_turn_among_the_workers(serving: Runtime) -> None:
    limited.start("registers").result(60)
    set_limits("test-limited", Limits(concurrency=1))

    handle = limited.run("here")

    assert handle.result(60) == "here"
    assert Execution.objects.get(id=handle.id).claimed_by == serving.boot_id


def test_a_limit_that_is_taken_away_lets_everybody_go(serving: Runtime) -> None:
    limited.start("registers").result(60)
    set_limits("test-limited", Limits(starts=1, seconds=3600, burst=1))
    handles = [limited.start(str(number)) for number in range(5)]
    while Execution.objects.filter(line="").count() < 4:
        time.sleep(0.02)

    set_limits("test-limited", Limits())

    assert [handle.result(60) for handle in handles] == [str(number) for number in range(5)]
