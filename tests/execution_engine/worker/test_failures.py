"""DESIGN 3.13: failed, hung and dying invocations; draining; suspects begin alone."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from execution_engine import DurableContext, InvocationError, durable_execution
from execution_engine.journal import claims, connections
from execution_engine.journal.claims import Claimer
from execution_engine.models import Event, Execution, FunctionVersion
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime
from tests.waiting import PATIENCE, wait_until

History = Callable[[UUID], list[str]]
entered: list[str] = []
release = threading.Event()


@durable_execution(name="test-hangs", invocation_timeout=1)
def hangs(event: Any, context: DurableContext) -> str:
    entered.append("hangs")
    if len(entered) == 1:
        release.wait(PATIENCE)
    return "second time"


@durable_execution(name="test-slow")
def slow(event: Any, context: DurableContext) -> str:
    context.step(lambda: entered.append("begun"), name="begin")
    release.wait(PATIENCE)
    return context.step(lambda: "done", name="end")


@durable_execution(name="test-passing-failure")
def fails_once(event: Any, context: DurableContext) -> str:
    entered.append("try")
    if len(entered) == 1:
        raise InvocationError("the network was away")
    return "in the end"


@durable_execution(name="test-quick")
def quick(event: Any, context: DurableContext) -> int:
    return context.step(lambda: 1, name="one")


@pytest.fixture(autouse=True)
def fresh() -> Any:
    entered.clear()
    release.clear()
    yield
    release.set()


def errors_of(execution_id: UUID) -> list[str]:
    found = Event.objects.filter(execution_id=execution_id, type="InvocationCompleted").order_by("event_id")
    return ["Sandbox.Timedout" if "Sandbox.Timedout" in (e.error or "") else e.error or "" for e in found]


def test_a_hung_handler_loses_its_claim_and_is_tried_again(runtime: Runtime) -> None:
    handle = hangs.start()

    assert handle.result(timeout=PATIENCE) == "second time"
    *lost, last = errors_of(handle.id)
    assert (set(lost), last) == ({"Sandbox.Timedout"}, "")


def test_a_hung_thread_is_counted_until_it_comes_back(runtime: Runtime) -> None:
    hangs.start()
    wait_until(lambda: runtime.lost_threads == 1)

    release.set()

    wait_until(lambda: runtime.lost_threads == 0)


def test_a_retryable_error_fails_the_invocation_and_the_next_one_goes_on(runtime: Runtime, history: History) -> None:
    handle = fails_once.start()

    assert handle.result(timeout=PATIENCE) == "in the end"
    assert history(handle.id) == ["ExecutionStarted", "InvocationCompleted", "InvocationCompleted", "ExecutionSucceeded"]
    assert Execution.objects.get(id=handle.id).failed_invocations == 0


def test_drain_waits_for_what_is_in_flight(transactional_db: None) -> None:
    runtime = make_runtime(DRAIN_SECONDS=10)
    runtime.start()
    handle = slow.start()
    wait_until(lambda: entered)
    threading.Timer(0.3, release.set).start()

    runtime.stop()

    assert handle.status() == "SUCCEEDED"


def test_drain_hands_back_what_takes_too_long_at_once(transactional_db: None, history: History) -> None:
    runtime = make_runtime(DRAIN_SECONDS=0)
    runtime.start()
    handle = slow.start()
    wait_until(lambda: entered)
    runtime.stop()
    release.set()

    row = Execution.objects.get(id=handle.id)
    assert row.claim_id is None and not row.is_suspect and row.failed_invocations == 0
    second = make_runtime()
    second.start()
    assert handle.result(timeout=PATIENCE) == "done"
    second.stop()
    assert history(handle.id).count("InvocationCompleted") == 2


def dead_claim(handle: Any, *, alone: bool = False) -> None:
    """Plays a child that claimed the execution and died."""
    version = FunctionVersion.objects.get(function=Execution.objects.get(id=handle.id).function).id
    worker = uuid4()
    with connections.connect("dead") as connection:
        found = claims.claim(connection, Claimer(versions=[version], worker=worker, limit=1, claim_seconds=30, suspects=alone, alone=alone))
        assert [c.execution_id for c in found] == [handle.id]
        claims.take_over(connection, dead=worker)


def test_suspects_finish_beside_others(transactional_db: None) -> None:
    suspects = [quick.start() for _ in range(3)]
    for handle in suspects:
        dead_claim(handle)
    runtime = make_runtime()
    runtime.start()
    others = [quick.start() for _ in range(10)]

    assert [handle.result(timeout=PATIENCE) for handle in (*suspects, *others)] == [1] * 13
    runtime.stop()


def test_five_lonely_deaths_in_a_row_end_the_execution(transactional_db: None, history: History) -> None:
    handle = quick.start()
    dead_claim(handle)
    for _ in range(5):
        dead_claim(handle, alone=True)
    runtime = make_runtime()
    runtime.start()

    wait_until(lambda: handle.status() == "FAILED")
    runtime.stop()

    assert history(handle.id) == ["ExecutionStarted", *["InvocationCompleted"] * 6, "ExecutionFailed"]
    assert "Runtime.ExitError" in (Execution.objects.get(id=handle.id).error or "")


def test_a_child_without_its_claims_loop_ends(tmp_path: Any, database_url: str, transactional_db: None) -> None:
    """In a process of its own, which is to die: the loop is ended by an error that nothing expects."""
    program = tmp_path / "program.py"
    program.write_text(
        "import django; django.setup()\n"
        "import time\n"
        "from execution_engine.journal import claims\n"
        "from tests.execution_engine.conftest import make_runtime\n"
        "claims.claim = lambda *_, **__: 1 / 0\n"
        "make_runtime().start()\n"
        f"time.sleep({PATIENCE})\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "durable_ops.settings", "DATABASE_URL": database_url, "DURABLE_LOCAL": "1"}
    root = str(Path(__file__).resolve().parents[3])
    ended = subprocess.run([sys.executable, str(program)], env=environment | {"PYTHONPATH": root}, cwd=root, check=False)

    assert ended.returncode == 1


@durable_execution(name="test-keyboard")
def interrupted(event: Any, context: DurableContext) -> None:
    raise KeyboardInterrupt


def test_an_exception_that_is_no_exception_fails_the_invocation(runtime: Runtime) -> None:
    """As if the process had ended: tried again at intervals, five in a row, never silently for ever."""
    handle = interrupted.start()

    wait_until(lambda: Execution.objects.get(id=handle.id).failed_invocations == 1)
    assert "KeyboardInterrupt" in (Event.objects.get(execution_id=handle.id, event_id=2).error or "")
