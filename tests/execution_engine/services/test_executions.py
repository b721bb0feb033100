"""Starting: one row in the caller's transaction, idempotent by name, many in one statement. Stopping: once."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from execution_engine import DurableContext, durable_execution, start_many
from execution_engine.client import InTransactionError
from execution_engine.core.errors import (
    ExecutionAlreadyStartedError,
    ExecutionBusyError,
    ExecutionEndedError,
    FunctionNotFoundError,
    PayloadTooLargeError,
)
from execution_engine.models import Event, Execution
from execution_engine.services import executions


@durable_execution(name="test-start", execution_timeout=60)
def started(event: Any, context: DurableContext) -> None:
    """Nobody serves it here."""


def test_a_start_is_rolled_back_with_its_caller(transactional_db: None) -> None:
    with transaction.atomic():
        started.start({"a": 1})
        transaction.set_rollback(True)

    assert not Execution.objects.exists() and not Event.objects.exists()


def test_the_same_name_and_input_is_the_same_execution(transactional_db: None) -> None:
    first = started.start({"a": 1, "b": 2}, name="once")
    again = executions.start_execution("test-start", '{"b":2,"a":1}', name="once")

    assert (again.id, again.created, first.created) == (first.id, False, True)
    assert Event.objects.count() == 1


def test_a_name_that_was_removed_meanwhile_is_tried_again(transactional_db: None) -> None:
    """The insert found the name taken, and before it was looked up its execution was purged."""
    with connection.cursor() as cursor, pytest.raises(ExecutionBusyError):
        executions.existing(cursor, "test-start", "purged", None)


def test_the_same_name_with_another_input_is_refused(transactional_db: None) -> None:
    first = started.start({"a": 1}, name="once")

    with pytest.raises(ExecutionAlreadyStartedError) as refused:
        started.start({"a": 2}, name="once")
    assert refused.value.facts["execution_id"] == str(first.id)


def test_many_start_in_one_statement(transactional_db: None) -> None:
    started.start({})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        handles = start_many(started, [{"n": n} for n in range(500)])

    assert len({handle.id for handle in handles}) == Execution.objects.count() - 1 == 500
    assert len([q for q in queries if "insert into durable_execution" in q["sql"]]) == 1


def test_the_deadline_is_the_databases_start_plus_the_timeout(transactional_db: None) -> None:
    row = Execution.objects.get(id=started.start({}).id)

    assert row.deadline_at is not None and (row.deadline_at - row.started_at).total_seconds() == 60


def test_refusals_name_what_is_wrong(transactional_db: None) -> None:
    with pytest.raises(FunctionNotFoundError, match="nobody-knows-it"):
        executions.start_execution("nobody-knows-it", "{}")
    with pytest.raises(FunctionNotFoundError, match="version 99"):
        executions.start_execution("test-start", "{}", version="99")
    with pytest.raises(PayloadTooLargeError, match="6291456"):
        executions.start_execution("test-start", "x" * (6 * 1024 * 1024 + 1))
    assert not Execution.objects.exists()


def test_stop_happens_once_and_the_second_is_told(transactional_db: None) -> None:
    handle = started.start({})
    executions.stop_execution(handle.id)

    with pytest.raises(ExecutionEndedError) as refused:
        executions.stop_execution(handle.id)
    assert refused.value.facts["execution_status"] == "STOPPED"
    assert Event.objects.filter(execution_id=handle.id, type="ExecutionStopped").count() == 1


def test_run_refuses_inside_a_transaction(transactional_db: None) -> None:
    with transaction.atomic(), pytest.raises(InTransactionError):
        started.run({})
