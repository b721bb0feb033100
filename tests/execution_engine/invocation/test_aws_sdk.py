"""Threads that AWS's own SDK starts: what they print belongs to their execution, and their connections go back."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from execution_engine import register, start_many
from execution_engine.conf import engine_settings
from execution_engine.models import Execution, FunctionVersion, LogLine, Operation
from execution_engine.worker import output
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE

pytest.importorskip("aws_durable_execution_sdk_python")
pytestmark = pytest.mark.django_db(transaction=True)


def aws_function(plugins: list[Any]) -> Any:
    from aws_durable_execution_sdk_python.context import DurableContext
    from aws_durable_execution_sdk_python.execution import durable_execution

    def handler(event: Any, context: DurableContext) -> list[int]:
        print("the handler")  # noqa: T201  what authors do

        def branch(inner: DurableContext, item: int, _index: int, _items: Any) -> int:
            def body(_step: Any) -> int:
                print(f"branch {item}")  # noqa: T201  what authors do
                logging.getLogger("shop").warning("careful %s", item)
                return FunctionVersion.objects.count()

            return inner.step(body, name="count")

        return context.map([1, 2, 3], branch, name="branches").get_results()

    return durable_execution(handler, plugins=plugins)


class Says:
    """A plugin of AWS's that prints on whichever thread it is told."""

    def create_plugin(self, _info: Any) -> Any:
        from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

        class Plugin(DurableInstrumentationPlugin):
            def on_operation_change(self, _info: Any) -> None:
                print("changed")  # noqa: T201  what authors do

        return Plugin()


@contextmanager
def captured(folder: Path) -> Iterator[Path]:
    """Captures this process as a worker child would; the file it writes. Within the test: pytest changes the streams before."""
    streams, root = (sys.stdout, sys.stderr), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    kept = output.capture(replace(engine_settings(), DATA_DIR=str(folder)))
    try:
        yield folder / "logs" / "functions.jsonl"
    finally:
        if kept is not None:
            kept.stop()
        sys.stdout, sys.stderr = streams
        root.handlers, root.level = handlers, level


def test_what_its_threads_print_belongs_to_the_execution(runtime: Runtime, tmp_path: Path) -> None:
    register(aws_function([Says()]), name="aws-prints")
    with captured(tmp_path) as lines:
        handle = start_many("aws-prints", [{}])[0]
        assert len(handle.result(timeout=PATIENCE)) == 3
    said = {line["message"] for text in lines.read_text().splitlines() if (line := json.loads(text))["executionArn"] == handle.arn}
    assert {"the handler", *(f"{word} {item}" for word in ("branch", "careful") for item in (1, 2, 3)), "changed"} <= said


def aws_story() -> Any:
    from aws_durable_execution_sdk_python.config import Duration
    from aws_durable_execution_sdk_python.context import DurableContext
    from aws_durable_execution_sdk_python.execution import durable_execution

    def handler(_event: Any, context: DurableContext) -> list[bool]:
        print("handler begins")  # noqa: T201  what authors do
        connected: list[bool] = []

        def body(_step: Any) -> int:
            print("in the step")  # noqa: T201  what authors do
            return FunctionVersion.objects.count()

        def child(inner: DurableContext) -> None:
            print("child begins")  # noqa: T201  what authors do
            inner.step(body, name="count")
            connected.append(connection.connection is not None)
            inner.wait(Duration.from_seconds(1), name="rest")
            print("child ends")  # noqa: T201  what authors do

        context.run_in_child_context(child, name="child")
        print("handler ends")  # noqa: T201  what authors do
        return connected

    return durable_execution(handler)


def test_lines_are_kept_once_with_who_said_them(runtime: Runtime, tmp_path: Path) -> None:
    register(aws_story(), name="aws-story")
    with captured(tmp_path):
        handle = start_many("aws-story", [{}])[0]
        assert handle.result(timeout=PATIENCE) == [False], "the step's connection was not given back"
    names = dict(Operation.objects.filter(execution_id=handle.id).values_list("id", "name"))
    lines = LogLine.objects.filter(execution_id=handle.id).order_by("id")
    said = [(line.message, names.get(line.operation_id), line.attempt) for line in lines]
    assert said == [
        ("handler begins", None, None),
        ("child begins", "child", None),
        ("in the step", "count", 1),
        ("child ends", "child", None),
        ("handler ends", None, None),
    ]


def test_its_threads_give_their_connections_back_between_two_calls(transactional_db: None) -> None:
    from execution_engine.invocation.aws_threads import CarryingExecutor, CarryingThread

    def query() -> tuple[int, bool]:
        was_open = connection.connection is not None
        Execution.objects.count()
        return threading.get_ident(), was_open

    with CarryingExecutor(max_workers=1) as executor:
        found = [executor.submit(query).result() for _ in range(3)]
        failed = executor.submit(_fails, query)
        with pytest.raises(LookupError):
            failed.result()
        found.append(executor.submit(query).result())
    assert len({ident for ident, _ in found}) == 1
    assert [was_open for _, was_open in found] == [False] * 4

    told: list[bool] = []

    def in_a_thread() -> None:
        query()
        told.append(connection.connection is not None)

    thread = CarryingThread(target=in_a_thread)
    thread.start()
    thread.join()
    assert told == [True]


def _fails(query: Callable[[], Any]) -> None:
    query()
    raise LookupError("on purpose")
