"""A rehearsal does nothing: neither what the SDK would do nor what the handler does outside its steps."""

import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from execution_engine import DurableContext, InvokeConfig, StepConfig, StepSemantics, WaitForConditionConfig, durable_execution
from execution_engine.core.enums import OperationStatus
from execution_engine.core.serdes import SerDes, SerDesContext
from execution_engine.invocation.rehearsal.findings import Verdict
from execution_engine.invocation.rehearsal.rehearse import rehearse
from execution_engine.models import Execution, Operation
from execution_engine.sdk.registry import describe
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution
from tests.execution_engine.invocation.rehearsal.flows import decide
from tests.waiting import PATIENCE

ONCE = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
POLL = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
done: list[str] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    done.clear()


def recorded(handler: Callable[..., Any]) -> RecordedExecution:
    history = DurableExecutionTestClient().start_execution(handler, {}).record()
    done.clear()
    return history


class TellingSerDes(SerDes[Any]):
    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        done.append("serialized")
        return "null"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        return data


class TellingPlugin:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: done.append(name)


def submit(callback_id: str, _: Any) -> None:
    done.append("submitted")


def branch(child: DurableContext, *_: Any) -> None:
    child.step(lambda: done.append("body"))


NEW_WORK: dict[str, Callable[[DurableContext], Any]] = {
    "step": lambda context: context.step("step", lambda: done.append("body")),
    "once": lambda context: context.step("once", lambda: done.append("body"), ONCE),
    "atomic": lambda context: context.step("atomic", lambda: done.append("body"), StepConfig(atomic=True)),
    "invoke": lambda context: context.invoke("other", 1, "invoke", InvokeConfig(serdes_payload=TellingSerDes())),
    "callback": lambda context: context.wait_for_callback(submit, "callback"),
    "poll": lambda context: context.wait_for_condition(lambda state: done.append("check"), POLL, "poll"),
    "map": lambda context: context.map([1], branch, "map"),
    "signal": lambda context: context.wait_for_signal("signal"),
    "approval": lambda context: context.wait_for_approval("approval", title="May I?", group="managers"),
}


@pytest.mark.parametrize("kind", NEW_WORK)
def test_new_work_is_named_and_not_begun(kind: str) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step("first", lambda: 1)
        context.set_status("here")
        context.set_attributes(customer=1)
        if kind in event:
            NEW_WORK[kind](context)
        context.wait(60)

    first = replace(recorded(handler), input=f'{{"{kind}": 1}}')
    history = replace(first, operations=first.operations[:1])
    found = rehearse(replace(describe(handler), plugins=(TellingPlugin(),)), history)
    assert (found.verdict, [one.name for one in found.next], done) == (Verdict.FITS, [kind], []), found.summary


@pytest.mark.parametrize("config", [StepConfig(), StepConfig(atomic=True), ONCE])
@pytest.mark.parametrize("status", [OperationStatus.STARTED, OperationStatus.READY, OperationStatus.PENDING])
def test_a_step_under_way_is_not_run_and_may_repeat(config: StepConfig, status: OperationStatus) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step("pay", lambda: done.append("paid"), config)

    history = recorded(lambda event, context: context.step("pay", lambda: 1))
    begun = replace(history.operations[0], status=status, payload=None, ended_at=None)
    found = rehearse(describe(handler), replace(history, operations=[begun], status="RUNNING"))
    assert (found.verdict, found.rerun, done) == (Verdict.FITS, (begun,), [])
    assert found.effects == ((begun,) if status is OperationStatus.STARTED else ())


@durable_execution(name="rehearsed-child")
def child_function(event: Any, context: DurableContext) -> None:
    done.append("child")


def lock_row() -> None:
    with transaction.atomic():
        list(Group.objects.select_for_update())


SOMEWHERE = Path(tempfile.gettempdir(), "rehearsed")
OUTSIDE: dict[str, tuple[Callable[[], Any], str]] = {
    "a row": (lambda: Group.objects.create(name="rehearsed"), "writes to the database"),
    "a lock": (lock_row, "writes to the database"),
    "a start": (lambda: child_function.start({}), "starts an execution"),
    "a run": (lambda: child_function.run({}), "starts an execution"),
    "a connection": (lambda: socket.create_connection(("127.0.0.1", 9)), "opens a network connection"),
    "a process": (lambda: subprocess.run([sys.executable, "-c", ""], check=True), "starts a process"),
    "a command": (lambda: os.system("true"), "starts a process"),
    "a file": (lambda: SOMEWHERE.write_text("x"), "writes a file"),
    "a removal": (SOMEWHERE.unlink, "removes a file"),
    "a thread": (lambda: threading.Thread(target=done.append, args=("thread",)).start(), "starts a thread"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", OUTSIDE)
def test_an_effect_outside_a_step_is_refused_and_named(what: str) -> None:
    act, said = OUTSIDE[what]

    def handler(event: Any, context: DurableContext) -> None:
        context.step("first", lambda: 1)
        if event:
            try:
                act()
            except Exception:
                done.append("swallowed")
        context.wait(60)

    history = replace(recorded(handler), input='{"act": true}')
    found = rehearse(describe(handler), history)
    assert (found.verdict, found.problem, done) == (Verdict.EFFECT, f"the code {said} outside a step", [])
    assert f"{__name__}:" in found.where
    assert not Group.objects.filter(name="rehearsed").exists() and not Execution.objects.exists() and not SOMEWHERE.exists()


@pytest.mark.django_db(transaction=True)
def test_reading_is_allowed() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(f"first of {Execution.objects.count()}", lambda: 1)
        Path(os.devnull).write_text("x")
        context.wait(60)

    assert rehearse(describe(handler), recorded(handler)).verdict is Verdict.FITS


def test_prints_and_logs_of_others_pass_meanwhile(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(event: Any, context: DurableContext) -> None:
        if event:
            begun.set()
            go_on.wait(PATIENCE)
            print("mine")  # noqa: T201
            logging.getLogger("shop").error("mine")
            context.logger.error("mine")
        context.wait(60)

    history = replace(recorded(handler), input='{"act": true}')
    rehearsal = threading.Thread(target=rehearse, args=(describe(handler), history))
    rehearsal.start()
    begun.wait(PATIENCE)
    print("theirs")  # noqa: T201
    logging.getLogger("shop").error("theirs")
    go_on.set()
    rehearsal.join()
    print("after")  # noqa: T201
    assert (capsys.readouterr().out, [record.getMessage() for record in caplog.records]) == ("theirs\nafter\n", ["theirs"])


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_and_no_thread_is_left() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.map([1, 2, 3], lambda child, *_: child.wait(60), "all")

    client = DurableExecutionTestClient(database=True)
    history = client.start_execution(handler, {}).record()
    threads = set(threading.enumerate())

    def rows() -> Any:
        return list(Execution.objects.values()), list(Operation.objects.values())

    before = rows()
    assert rehearse(describe(handler), history).verdict is Verdict.FITS
    assert rows() == before
    assert set(threading.enumerate()) <= threads
