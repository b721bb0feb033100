"""One real runtime in this process, and a way to break the engine before it starts."""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from execution_engine.journal import statements
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime


@pytest.fixture
def serving(transactional_db: None) -> Iterator[Runtime]:
    """A runtime with more handler threads than there are races at a time."""
    runtime = make_runtime(THREADS=32, DRAIN_SECONDS=0)
    runtime.start()
    yield runtime
    runtime.stop()


@pytest.fixture
def seed(is_long: bool) -> int:
    """The long proofs look elsewhere each time."""
    return int(os.environ.get("RACE_SEED", "0")) or (random.SystemRandom().randint(1, 10**9) if is_long else 1)


@pytest.fixture
def count(is_long: bool) -> int:
    return int(os.environ.get("RACES", "0")) or (1_000 if is_long else 100)


class BrokenStatements:
    """Changes SQL texts for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def replace(self, name: str, old: str, new: str) -> None:
        text = statements.statement(name)
        assert old in text, f"the statement {name} no longer says {old!r}: adapt the broken variant"
        self._monkeypatch.setitem(statements._statements(), name, text.replace(old, new))
        statements.statement.cache_clear()


@pytest.fixture
def broken_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Must be asked for before `serving`, so that the runtime starts broken and ends before the repair."""
    yield BrokenStatements(monkeypatch)
    monkeypatch.undo()
    statements.statement.cache_clear()
