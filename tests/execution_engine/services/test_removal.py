"""Delete and purge on PostgreSQL."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from execution_engine.core.errors import ExecutionNeededError, ExecutionNotEndedError, ExecutionNotFoundError
from execution_engine.journal import connections, removal
from execution_engine.models import Event, Execution, Operation, Signal
from execution_engine.sdk.registry import register
from execution_engine.services import executions, signals
from execution_engine.services.removal import delete_execution

FUNCTION = "test-removal"


@pytest.fixture(autouse=True)
def function() -> None:
    register(lambda event, context: event, name=FUNCTION)


def start(**changes: Any) -> UUID:
    started = executions.start_execution(FUNCTION, "1")
    signals.send_signal(started.id, "go", None)
    if changes:
        sets = ", ".join(f"{column} = %s" for column in changes)
        with connection.cursor() as cursor:
            cursor.execute(f"update durable_execution set {sets} where id = %s", [*changes.values(), started.id])
    return started.id


def stopped(days_ago: float = 0, **changes: Any) -> UUID:
    execution_id = start()
    executions.stop_execution(execution_id)
    values = {"ended_at": timezone.now() - timedelta(days=days_ago), **changes}
    with connection.cursor() as cursor:
        cursor.execute(
            f"update durable_execution set {', '.join(f'{c} = %s' for c in values)} where id = %s", [*values.values(), execution_id]
        )
    return execution_id


@pytest.mark.django_db
def test_delete_leaves_nothing_and_frees_the_name() -> None:
    execution_id, kept = stopped(), stopped()
    delete_execution(execution_id)
    for model in (Event, Operation, Signal):
        assert not model.objects.filter(execution_id=execution_id).exists()
    assert list(Execution.objects.values_list("id", flat=True)) == [kept]
    assert Event.objects.filter(execution_id=kept).exists()
    with pytest.raises(ExecutionNotFoundError):
        delete_execution(execution_id)


@pytest.mark.django_db
def test_delete_refuses_what_is_open_or_needed() -> None:
    parent = start()
    with pytest.raises(ExecutionNotEndedError):
        delete_execution(parent)
    for child in (stopped(parent_id=parent), stopped(owes_parent=True)):
        with pytest.raises(ExecutionNeededError):
            delete_execution(child)
    assert Execution.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_purge_removes_what_is_past_its_own_retention_only() -> None:
    parent = start()
    kept = [
        parent,
        stopped(13.9),
        stopped(2, retention_days=3),
        stopped(100, parent_id=parent),
        stopped(100, owes_parent=True),
    ]
    stopped(14.1)
    stopped(2, retention_days=1)
    with connections.connect("test") as own:
        assert removal.purge(own) == 2
        assert removal.purge(own) == 0
    assert set(Execution.objects.values_list("id", flat=True)) == set(kept)
    assert Event.objects.exclude(execution_id__in=kept).count() == 0


@pytest.mark.django_db(transaction=True)
def test_purge_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    for _ in range(5):
        stopped(100)
    with connections.connect("test") as own:
        assert removal.purge(own) == 5
        assert removal.purge(own) == 0


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_long_histories_is_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that removed a hundred of them would be cut by its timeout, and again at every turn, for ever."""
    monkeypatch.setattr(removal, "TURN_SECONDS", 0)
    monkeypatch.setattr(removal, "BATCH_EVENTS", 25)
    for days, events in ((104, 10), (103, 10), (102, 10), (101, 1000), (100, 1)):
        stopped(days, event_seq=events)
    with connections.connect("test") as own:
        assert [removal.purge(own) for _ in range(5)] == [2, 1, 1, 1, 0]
