"""Batches: the frozen set, each item exactly once, one bad one among a thousand, aborts, retries and workers that die."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from durable_ops.actions import batch_work, batches
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry, Batch, BatchItem
from execution_engine.core.errors import InvalidInputError
from execution_engine.models import Execution
from tests.durable_ops.people import make_user
from tests.factories import ago, make_event, make_execution, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db: None) -> Actor:
    return Actor(user=make_user("operator"), channel=Channel.CONSOLE, address="10.0.0.1")


def failed_executions(count: int) -> list[UUID]:
    version = make_version()
    ids = []
    for number in range(count):
        execution = make_execution(version, name=f"e-{number}", status="FAILED", ended_at=ago(seconds=5), event_seq=2)
        make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
        make_event(execution, 2, "ExecutionFailed", ago(seconds=5))
        ids.append(execution.id)
    return ids


def work_until_done() -> None:
    while batch_work.work():
        pass


def outcomes(batch: Batch) -> Counter[str]:
    return Counter(batch.items.values_list("outcome", flat=True))


def test_a_thousand_are_redriven_and_the_bad_one_is_told(operator: Actor) -> None:
    ids = failed_executions(999)
    open_one = make_execution(make_version(version="2"), name="still-open")
    batch = batches.draft_batch(operator, act="redrive", ids=[*ids[:500], open_one.id, *ids[500:]])
    assert outcomes(batch) == {"pending": 1000}
    batches.confirm_batch(operator, batch.pk, reason="the bank is back")
    work_until_done()
    batch.refresh_from_db()
    assert (batch.status, outcomes(batch)) == (Batch.Status.DONE, {"done": 999, "failed": 1})
    bad = batch.items.get(outcome="failed")
    assert (bad.execution_id, bad.label, bad.code) == (open_one.id, "still-open", "execution_not_ended")
    assert Execution.objects.filter(id__in=ids, status="RUNNING", redrive_count=1).count() == 999
    assert AuditEntry.objects.filter(action="execution.redrive", reason__startswith="the bank is back").count() == 999
    assert AuditEntry.objects.filter(action="batch.end").get().facts == {"act": "redrive", "done": 999, "failed": 1}


def test_set_is_frozen_when_it_is_chosen(operator: Actor) -> None:
    failed_executions(2)
    batch = batches.draft_batch(operator, act="redrive", query={"status": "FAILED"})
    make_execution(make_version(version="2"), status="FAILED", ended_at=ago())
    batches.confirm_batch(operator, batch.pk, reason="again")
    work_until_done()
    assert (batch.total, outcomes(batch)) == (2, {"done": 2})
    assert Execution.objects.filter(status="FAILED").count() == 1


def test_draft_does_nothing(operator: Actor) -> None:
    batches.draft_batch(operator, act="redrive", ids=failed_executions(1))
    assert batch_work.work() == 0
    assert Execution.objects.get().status == "FAILED"


def test_killed_worker_leaves_the_item_as_it_was(operator: Actor) -> None:
    """The act and the item's outcome are one commit: cut before it, neither happened."""
    ids = failed_executions(2)
    batch = batches.draft_batch(operator, act="redrive", ids=ids)
    batches.confirm_batch(operator, batch.pk, reason="again")
    with transaction.atomic():
        assert batch_work._try_next(Batch.objects.get(pk=batch.pk))
        assert Execution.objects.filter(status="RUNNING").count() == 1
        transaction.set_rollback(True)
    assert Execution.objects.filter(status="RUNNING").count() == 0
    work_until_done()
    assert outcomes(batch) == {"done": 2}
    assert list(Execution.objects.values_list("redrive_count", flat=True)) == [1, 1]


def test_aborted_batch_leaves_the_rest_undone(operator: Actor) -> None:
    batch = batches.draft_batch(operator, act="redrive", ids=failed_executions(3))
    batch = batches.confirm_batch(operator, batch.pk, reason="again")
    assert batch_work._try_next(batch)
    assert batches.abort_batch(operator, batch.pk, reason="wrong ones").status == Batch.Status.ABORTED
    assert batch_work.work() == 0
    assert outcomes(batch) == {"done": 1, "skipped": 2}
    assert AuditEntry.objects.get(action="batch.abort").facts["not_tried"] == 2


def test_failures_are_tried_again_as_a_batch_of_their_own(operator: Actor) -> None:
    execution = make_execution(make_version(), name="late")
    batch = batches.draft_batch(operator, act="redrive", ids=[execution.id, uuid4()])
    batches.confirm_batch(operator, batch.pk, reason="again")
    work_until_done()
    assert sorted(batch.items.values_list("code", flat=True)) == ["execution_not_ended", "execution_not_found"]
    retry = batches.retry_batch(operator, batch.pk, reason="now they have ended")
    assert (retry.total, retry.retry_of_id, retry.status) == (2, batch.pk, Batch.Status.RUNNING)


def test_each_item_is_done_with_the_rights_of_the_moment(operator: Actor) -> None:
    batch = batches.draft_batch(operator, act="redrive", ids=failed_executions(1))
    batches.confirm_batch(operator, batch.pk, reason="again")
    operator.user.is_active = False
    operator.user.save()
    work_until_done()
    assert (batch.items.get().outcome, batch.items.get().code) == (BatchItem.Outcome.FAILED, "permission_denied")
    assert Execution.objects.get().status == "FAILED"


def test_bug_in_one_execution_does_not_stop_the_others(operator: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = failed_executions(2)
    redrive = batch_work._ACTS["redrive"]

    def breaks_once(actor: Actor, execution_id: UUID, **wishes: Any) -> Any:
        if execution_id == ids[0]:
            with connection.cursor() as cursor:
                cursor.execute("select 1 / 0")
        return redrive(actor, execution_id, **wishes)

    monkeypatch.setitem(batch_work._ACTS, "redrive", breaks_once)
    batch = batches.draft_batch(operator, act="redrive", ids=ids)
    batches.confirm_batch(operator, batch.pk, reason="again")
    work_until_done()
    assert list(batch.items.order_by("id").values_list("outcome", "code")) == [("failed", "internal_error"), ("done", "")]


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"act": "explode", "ids": [uuid4()]}, "act"),
        ({"act": "stop", "ids": []}, "ids"),
        ({"act": "stop", "query": {}}, "filters"),
        ({"act": "stop", "query": {"status": "GONE"}}, "status"),
        ({"act": "stop", "query": {"function": "nothing"}}, "ids"),
    ],
)
def test_bad_choice_is_refused(operator: Actor, wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        batches.draft_batch(operator, **wishes)
    assert refusal.value.facts["field"] == field
    assert Batch.objects.count() == 0


def test_too_many_are_refused(operator: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LARGEST", 1)
    with pytest.raises(InvalidInputError, match="at most 1 executions"):
        batches.draft_batch(operator, act="redrive", ids=failed_executions(2))


def test_reason_is_required_and_a_batch_begins_once(operator: Actor) -> None:
    batch = batches.draft_batch(operator, act="redrive", ids=failed_executions(1))
    with pytest.raises(InvalidInputError):
        batches.confirm_batch(operator, batch.pk, reason=" ")
    batches.confirm_batch(operator, batch.pk, reason="again")
    with pytest.raises(batches.BatchStateError):
        batches.confirm_batch(operator, batch.pk, reason="again")


def test_right_of_the_act_is_needed(operator: Actor) -> None:
    ids = failed_executions(1)
    with pytest.raises(PermissionDenied):
        batches.draft_batch(operator, act="delete", ids=ids)
    batch = batches.draft_batch(operator, act="redrive", ids=ids)
    with pytest.raises(PermissionDenied):
        batches.confirm_batch(Actor(user=make_user("viewer")), batch.pk, reason="again")


def test_old_batches_and_drafts_are_forgotten(operator: Actor) -> None:
    old = batches.draft_batch(operator, act="redrive", ids=failed_executions(1))
    fresh = batches.draft_batch(operator, act="redrive", ids=[uuid4()])
    Batch.objects.filter(pk=old.pk).update(created_at=ago(days=2))
    batch_work.forget_old()
    assert list(Batch.objects.values_list("pk", flat=True)) == [fresh.pk]
