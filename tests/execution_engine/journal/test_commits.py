"""What a step costs in commits and round trips, alone and in company (design: group commit)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import Trace

import execution_engine
from execution_engine import DurableContext, client, durable_execution
from execution_engine.conf import engine_settings
from execution_engine.models import Execution
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime
from tests.waiting import PATIENCE, wait_until

STEPS = 50


@durable_execution(name="test-commits-alone")
def many_steps(event: Any, context: DurableContext) -> int:
    return sum(context.step(lambda: 1) for _ in range(STEPS))


@durable_execution(name="test-commits-shared")
def ten_steps(event: Any, context: DurableContext) -> int:
    return sum(context.step(lambda: 1) for _ in range(10))


@pytest.fixture
def counter(transactional_db: None, database_url: str) -> Iterator[Any]:
    """How many transactions that wrote something there were until now, in the whole server."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield lambda: int(connection.execute("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()[0])  # type: ignore[index]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no START is written because its step took long."""
    monkeypatch.setattr(client, "engine_settings", lambda: replace(engine_settings(), HELD_START_SECONDS=PATIENCE))


def test_a_quick_step_alone_is_one_commit_and_one_round_trip(patient: None, counter: Any, tmp_path: Path) -> None:
    many_steps.run({})  # connects, prepares
    connection = client._local_runtime().writer._connection
    assert connection is not None
    trace = tmp_path / "trace"
    for _ in range(10):  # the worker's own row, statistics that the server gathers: what else is written can only add to it
        with trace.open("wb", buffering=0) as file:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            before = counter()
            many_steps.run({})
            commits = counter() - before
            connection.pgconn.untrace()
        if commits == STEPS + 2:
            break
    messages = [line.split("\t")[2].split()[0] for line in trace.read_text().splitlines() if line.startswith("F\t")]
    # Beside the steps: the start, on Django's connection, and the end.
    assert commits == STEPS + 2
    assert messages.count("Sync") == STEPS + 1
    assert not {"Query", "Parse"} & set(messages)  # prepared once, never BEGIN and COMMIT


@pytest.fixture
def crowded(transactional_db: None) -> Iterator[Runtime]:
    runtime = make_runtime(THREADS=64)
    runtime.start()
    yield runtime
    runtime.stop()


def test_executions_of_a_process_share_their_commits(crowded: Runtime) -> None:
    executions = 150
    execution_engine.start_many(ten_steps, [{}] * executions)
    wait_until(lambda: Execution.objects.filter(status="SUCCEEDED").count() == executions)
    assert crowded.writer.flushes < executions * 10 / 8
