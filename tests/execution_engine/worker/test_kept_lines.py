"""What handlers say: kept with its step, said once, bounded per line, execution and process, and never in the handler's way."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from execution_engine import DurableContext, durable_execution
from execution_engine.conf import engine_settings
from execution_engine.journal import connections, logs
from execution_engine.journal.logs import Line
from execution_engine.models import LogLine
from execution_engine.selectors.logs import list_lines, operation_ends
from execution_engine.services import removal
from execution_engine.worker import kept_lines, output
from execution_engine.worker.kept_lines import KeptLines, fitting
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@durable_execution(name="says-things")
def says_things(event: dict[str, Any], context: DurableContext) -> str:
    print("handler begins")  # noqa: T201  what authors do
    context.logger.info("by the context")

    def body() -> str:
        print("in the step")  # noqa: T201  what authors do
        logging.getLogger("shop").warning("careful")
        return "done"

    result = context.step("talk", body)
    context.wait("pause", 1)
    print("after the wait")  # noqa: T201  what authors do
    return result


@contextmanager
def captured() -> Iterator[KeptLines]:
    """Captures this process as a worker child would, and gives everything back. Within the test: pytest changes the streams before."""
    streams, root = (sys.stdout, sys.stderr), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    found = output.capture(replace(engine_settings(), DATA_DIR=""))
    assert found is not None
    try:
        yield found
    finally:
        found.stop()
        sys.stdout, sys.stderr = streams
        root.handlers, root.level = handlers, level


def line(execution_id: UUID, message: str = "x") -> Line:
    return Line(execution_id, datetime.now(UTC), "INFO", "stdout", message)


def test_lines_stand_with_their_step_and_are_said_once(runtime: Runtime) -> None:
    with captured():
        handle = says_things.start({})
        assert handle.result(timeout=PATIENCE) == "done"
    found = list_lines(handle.id)
    said = [(row.message, row.level, row.operation_id is not None) for row in found if row.logger != "durable"]
    assert [one for one in said if one[0] in ("handler begins", "in the step", "careful", "by the context", "after the wait")] == [
        ("handler begins", "INFO", False),
        ("by the context", "INFO", False),
        ("in the step", "INFO", True),
        ("careful", "WARNING", True),
        ("after the wait", "INFO", False),
    ]
    ends = list(operation_ends(handle.id))
    assert [(one.name, one.type, one.attempts, one.result_bytes) for one in ends] == [("talk", "STEP", 1, 6), ("pause", "WAIT", 0, None)]


def test_flood_is_counted_and_dropped_without_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_lines, "WAITING", 100)
    keeper, execution_id = KeptLines(1_000), uuid4()
    monkeypatch.setattr(keeper, "_serve", lambda: None)
    for number in range(5_000):
        keeper.put(line(execution_id, f"n {number}"))
    assert keeper._write()
    messages = [row.message for row in list_lines(execution_id)]
    assert (messages[0], messages[99], len(messages)) == ("n 0", "n 99", 101)
    assert "4,900 lines were dropped" in messages[100]


def test_an_execution_keeps_a_bounded_number_and_says_so(transactional_db: None) -> None:
    chatty, quiet = uuid4(), uuid4()
    with connections.connect("test") as own:
        logs.keep(own, [line(chatty, f"a {n}") for n in range(7)], 10)
        logs.keep(own, [*(line(chatty, f"b {n}") for n in range(7)), line(quiet)], 10)
        logs.keep(own, [line(chatty)], 10)
    assert [row.message for row in list_lines(chatty)][-2:] == ["b 1", "10 lines are kept of an execution; whatever follows is not."]
    assert (LogLine.objects.filter(execution_id=chatty).count(), LogLine.objects.filter(execution_id=quiet).count()) == (10, 1)


@pytest.mark.parametrize(
    ("message", "kept_as"), [("a\x00b", "a\\0b"), ("\ud800", "\\ud800"), ("x" * 5_000, "x" * 4_096 + "… (5,000 characters)")]
)
def test_hostile_lines_fit(message: str, kept_as: str) -> None:
    assert fitting(message) == kept_as


def test_database_that_is_away_loses_no_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper, execution_id, connect = KeptLines(1_000), uuid4(), connections.connect
    monkeypatch.setattr(keeper, "_serve", lambda: None)
    keeper.put(line(execution_id))

    def refuse(purpose: str, *, options: str = "") -> Any:
        return connect(purpose, options=f"{options} -c no_such_setting=1")

    monkeypatch.setattr(connections, "connect", refuse)
    assert not keeper._write()
    monkeypatch.setattr(connections, "connect", connect)
    assert keeper._write()
    assert len(list_lines(execution_id)) == 1


def test_lines_go_with_their_execution_and_with_age(runtime: Runtime) -> None:
    handle = says_things.start({})
    execution_id = handle.id
    assert handle.result(timeout=PATIENCE) == "done"
    other = uuid4()
    with connections.connect("test") as own:
        logs.keep(own, [line(execution_id), line(other)], 10)
        removal.delete_execution(execution_id)
        assert list(LogLine.objects.values_list("execution_id", flat=True)) == [other]
        logs.forget_old(own, 1)
        assert LogLine.objects.count() == 1
        with connection.cursor() as cursor:
            cursor.execute("update durable_log_line set at = at - interval '2 days'")
        logs.forget_old(own, 1)
    assert not LogLine.objects.exists()
