"""Lanes and writers by hand, so that a test decides what happens between two statements."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from execution_engine import durable_execution
from execution_engine.core.clock import DatabaseClock
from execution_engine.journal import claims, connections, reader
from execution_engine.journal.claims import Claim, Claimer
from execution_engine.journal.lane import Lane
from execution_engine.journal.writer import Writer
from execution_engine.models import FunctionVersion
from execution_engine.services import executions


@durable_execution(name="test-journal")
def journal_function(event: Any, context: Any) -> None:
    """Never runs: these tests play its worker."""


@pytest.fixture
def connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    with connections.connect("test") as found:
        yield found


@pytest.fixture
def version(connection: psycopg.Connection[Any]) -> int:
    """Of `test-journal`, of which one execution waits."""
    executions.start_execution("test-journal", "{}")
    return int(FunctionVersion.objects.get(function="test-journal").id)


@pytest.fixture
def claim_one(connection: psycopg.Connection[Any]) -> Callable[..., tuple[Claim, Lane]]:
    """Starts an execution, or takes the given one, and claims it for a new worker."""

    def claim(execution_id: UUID | None = None, **options: Any) -> tuple[Claim, Lane]:
        started = execution_id or executions.start_execution("test-journal", "{}").id
        version = FunctionVersion.objects.get(function="test-journal").id
        found = claims.claim(connection, Claimer(versions=[version], worker=uuid4(), limit=1, claim_seconds=30, **options))
        assert [c.execution_id for c in found] == [started]
        loaded = reader.load(connection, [started])[started]
        clock = DatabaseClock()
        clock.set(loaded.now)
        lane = Lane(
            execution_id=started,
            claim_id=found[0].claim_id,
            clock=clock,
            checkpoint_seq=found[0].checkpoint_seq,
            wake_seq=loaded.wake_seq,
            told_seq=found[0].told_seq,
            deadline_at=found[0].deadline_at,
            operations=loaded.operations,
        )
        return found[0], lane

    return claim


@pytest.fixture
def make_writer(transactional_db: None) -> Iterator[Callable[..., Writer]]:
    made: list[Writer] = []

    def make(connect: Callable[..., psycopg.Connection[Any]] = connections.connect, **options: Any) -> Writer:
        values = {"held_seconds": 0.05, "flush_bytes": 256 * 1024, "on_due": lambda: None} | options
        writer = Writer(connect, DatabaseClock(), **values)
        writer.start()
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.stop()
