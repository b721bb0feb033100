"""pytest fixtures of the testing kit."""

from typing import Any

import pytest

from execution_engine.testing.client import DurableExecutionTestClient


@pytest.fixture
def durable_client() -> DurableExecutionTestClient:
    """A client of its own for each test: no executions yet, its clock at the present, everything in memory."""
    return DurableExecutionTestClient()


@pytest.fixture
def durable_database_client(db: Any) -> DurableExecutionTestClient:  # noqa: ARG001
    """The same on Django's test database, inside the test's own transaction (pytest-django's `db`)."""
    return DurableExecutionTestClient(database=True)
