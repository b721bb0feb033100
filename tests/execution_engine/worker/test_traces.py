"""A start's trace goes along: to the lines of its handler, to the executions it invokes, and into searches."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from execution_engine import DurableContext, durable_execution, register
from execution_engine.conf import engine_settings
from execution_engine.core.trace import Trace, as_amzn_trace
from execution_engine.journal import connections
from execution_engine.journal.bell import process_bell
from execution_engine.models import Execution
from execution_engine.selectors.executions import list_executions
from execution_engine.selectors.search import ExecutionFilters
from execution_engine.services.executions import StartOptions, start_execution
from execution_engine.worker import output
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE = Trace(f"00-{TRACE_ID}-00f067aa0ba902b7-01", "order-7")


@durable_execution(name="traced-child")
def traced_child(event: Any, context: DurableContext) -> str:
    print("child speaks")  # noqa: T201  what authors do
    return "child"


@durable_execution(name="traced-parent")
def traced_parent(event: Any, context: DurableContext) -> Any:
    context.logger.info("parent speaks")
    return context.invoke("traced-child", {}, name="call")


def test_trace_is_in_lines_children_and_searches(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", logging.INFO)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    kept = output.capture(replace(engine_settings(), DATA_DIR=str(tmp_path)))
    try:
        started = start_execution("traced-parent", "{}", options=StartOptions(trace=TRACE))
        process_bell().ring()
        wait_for_end(runtime, started.id)
    finally:
        if kept:
            kept.stop()
    rows = Execution.objects.order_by("started_at").values_list("function", "traceparent", "correlation_id")
    assert list(rows) == [(name, TRACE.traceparent, "order-7") for name in ("traced-parent", "traced-child")]
    lines = [json.loads(line) for line in (tmp_path / "logs" / "functions.jsonl").read_text().splitlines()]
    said = {line["message"]: (line.get("traceId"), line.get("correlationId")) for line in lines}
    assert said["parent speaks"] == said["child speaks"] == (TRACE_ID, "order-7")
    for filters in (ExecutionFilters(trace_id=TRACE_ID), ExecutionFilters(correlation_id="order-7")):
        assert {one.function for one in list_executions(filters).items} == {"traced-parent", "traced-child"}
    assert list_executions(ExecutionFilters(trace_id="0" * 31 + "1")).items == ()


@pytest.mark.parametrize("condition", ["correlation_id = 'x'", f"traceparent is not null and substr(traceparent, 4, 32) = '{TRACE_ID}'"])
def test_searches_have_an_index(condition: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute(f"explain select id from durable_execution where {condition} order by started_at desc limit 10")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("reset enable_seqscan")
    assert "execution_correlation" in plan or "execution_trace" in plan


def wait_for_end(runtime: Runtime, execution_id: Any) -> None:
    from execution_engine.client import Handle

    Handle(execution_id, "", "traced", True).result(timeout=PATIENCE)


def test_a_plain_handler_reads_it_as_awss_header(runtime: Runtime) -> None:
    register(lambda event, context: context.trace_header, name="traced-plain", durable=False)
    with connections.connect("test") as connection_:
        runtime.keeper.register_versions(connection_)
    started = start_execution("traced-plain", None, options=StartOptions(trace=TRACE))
    process_bell().ring()
    wait_for_end(runtime, started.id)
    assert Execution.objects.get(id=started.id).result == f'"{as_amzn_trace(TRACE.traceparent)}"'
