"""Lists, filters and counts never read a big table from end to end, whatever they are asked. The volume is the bulk mode's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from execution_engine.models import FunctionVersion
from execution_engine.selectors.callbacks import pending_callbacks
from execution_engine.selectors.executions import count_executions, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import list_functions
from execution_engine.selectors.overview import overview
from execution_engine.selectors.search import ExecutionFilters
from execution_engine.testing import bulk
from tests.factories import ago, make_worker

EXECUTIONS = 20_000
BIG = ("durable_execution", "durable_operation", "durable_event")

FILTERS = {
    "nothing": ExecutionFilters(),
    **{f"state {code.value}": ExecutionFilters(state=code) for code in StateCode},
    "status": ExecutionFilters(status="FAILED"),
    "function": ExecutionFilters(function="bulk-sync"),
    "function and status": ExecutionFilters(function="bulk-refund", status="FAILED"),
    "function and state": ExecutionFilters(function="bulk-refund", state=StateCode.POLLING),
    "version": ExecutionFilters(function="bulk-refund", version="2"),
    "attribute": ExecutionFilters(attributes={"customer": 42}),
    "name": ExecutionFilters(function="bulk-refund", name="refund-1"),
    "started": ExecutionFilters(started_from=ago(days=2), started_to=ago(days=1)),
    "error": ExecutionFilters(error="carddeclined"),
    "redriven": ExecutionFilters(is_redriven=True),
    "forked": ExecutionFilters(is_forked=True),
    "callback": ExecutionFilters(has_callback=True),
    "approval": ExecutionFilters(has_approval=True),
}


@pytest.fixture(scope="module")
def volume(django_db_setup: None, django_db_blocker: Any, database_url: str) -> Iterator[None]:
    """Committed rows for this module; plans of an empty table say nothing."""
    with django_db_blocker.unblock(), psycopg.connect(database_url) as own:
        for _ in bulk.fill(own, EXECUTIONS, operations_each=4, history=2_000):
            pass
        own.autocommit = True
        own.execute("vacuum analyze durable_execution, durable_operation, durable_event")
        yield
        own.execute("truncate durable_execution, durable_operation, durable_event, durable_function, durable_function_version")


@contextmanager
def plans() -> Iterator[list[str]]:
    """Collects the plans of every statement on a big table."""
    found: list[str] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(f"{table}" in sql for table in BIG) and not sql.startswith("explain"):
            with context["connection"].connection.cursor() as cursor:
                cursor.execute(f"explain {sql}", params)
                found.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


@pytest.fixture
def served(volume: None, db: None) -> None:
    make_worker(*FunctionVersion.objects.exclude(function="bulk-invoice"))


@pytest.mark.parametrize("name", list(FILTERS))
def test_no_page_and_no_count_reads_a_table_whole(served: None, name: str) -> None:
    with plans() as found:
        list_executions(FILTERS[name])
        count_executions(FILTERS[name])
    assert found
    assert [plan for plan in found if any(f"Seq Scan on {table}" in plan for table in BIG)] == []


def test_counts_functions_and_callbacks_do_not_either(served: None) -> None:
    with plans() as found:
        overview()
        list_functions()
        pending_callbacks()
    assert len(found) >= 4
    assert [plan for plan in found if any(f"Seq Scan on {table}" in plan for table in BIG)] == []


@pytest.mark.parametrize("state", [None, StateCode.WAITING_FOR_CALLBACK, StateCode.STRANDED])
def test_pages_join_without_gap(served: None, state: StateCode | None) -> None:
    filters = ExecutionFilters(state=state, started_from=ago(days=3), longer_than=timedelta(seconds=1))
    seen, cursor = [], None
    while True:
        page = list_executions(filters, cursor, limit=200)
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == count_executions(filters).number > 0
