"""Booking: once per end, days are the sums of their entries, whatever is redriven, repeated or deleted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from durable_ops.costs import ledger
from durable_ops.models import CostDay, CostEntry
from execution_engine.journal import connections
from execution_engine.models import Execution
from tests.factories import ago, make_event, make_execution, make_operation, make_version


@pytest.fixture
def connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    with connections.connect("test") as found:
        yield found


def test_an_end_is_booked_once(connection: psycopg.Connection[Any]) -> None:
    version = make_version()
    start = ago(minutes=10)
    execution = make_execution(version, status="SUCCEEDED", started_at=start, ended_at=start + timedelta(minutes=5), input='{"a":1}')
    make_event(execution, 1, "ExecutionStarted", start)
    make_event(execution, 2, "StepSucceeded", start + timedelta(seconds=1))
    make_operation(execution, status="SUCCEEDED", payload="12345", ended_at=start + timedelta(seconds=1))
    make_event(execution, 3, "InvocationCompleted", start + timedelta(seconds=2), details={"StartTimestamp": start.isoformat()})
    assert ledger.turn(connection, behind=0) == 2
    assert ledger.turn(connection, behind=0) == 0
    day = CostDay.objects.get()
    assert (day.executions, day.requests, day.operations, day.mb_ms, day.bytes_written) == (1, 1, 2, 2000 * 1024, 12)
    assert CostEntry.objects.count() == 1
    assert Execution.objects.count() == 1
