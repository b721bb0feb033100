"""pytest fixtures of the testing kit."""

import pytest

from execution_engine.testing.client import DurableExecutionTestClient


@pytest.fixture
def durable_client() -> DurableExecutionTestClient:
    """A client of its own for each test: no executions yet, its clock at the present."""
    return DurableExecutionTestClient()
