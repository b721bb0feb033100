"""A real worker runtime inside the test process, on the session's PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from execution_engine.client import stop_local_runtime
from execution_engine.conf import engine_settings
from execution_engine.journal import connections
from execution_engine.journal.bell import Bell, process_bell
from execution_engine.models import Execution
from execution_engine.selectors.history import list_events
from execution_engine.worker.runtime import Runtime


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """`fn.run()` and the bell keep connections, which must not outlive the test's database."""
    yield
    stop_local_runtime()
    process_bell().stop()


@pytest.fixture
def runtime(transactional_db: None) -> Iterator[Runtime]:
    """Serves every registered function until the test ends."""
    runtime = make_runtime()
    runtime.start()
    yield runtime
    runtime.stop()


def make_runtime(**changes: Any) -> Runtime:
    settings = replace(engine_settings(), **{"THREADS": 8, "DRAIN_SECONDS": 2, **changes})
    return Runtime(settings, Bell(connections.connect))


@pytest.fixture
def history() -> Callable[[UUID], list[str]]:
    """Event types of an execution, in order."""
    return lambda execution_id: [event["EventType"] for event in list_events(execution_id)]


@pytest.fixture
def execution_row() -> Callable[[UUID], Execution]:
    return lambda execution_id: Execution.objects.get(id=execution_id)
