"""Batches that move executions to another version: each rehearsed, none moved that does not fit."""

from collections.abc import Iterator

import pytest

from durable_ops.actions import batch_work, batches
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry, Batch
from execution_engine.core.errors import InvalidInputError
from execution_engine.models import Execution
from execution_engine.sdk.definition import RegisteredFunction
from tests.durable_ops.actions.test_batches import work_until_done
from tests.durable_ops.people import make_user
from tests.durable_ops.versions import id_of, loaded_versions, started
from tests.factories import ago, make_execution, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def versions() -> Iterator[dict[str, RegisteredFunction]]:
    with loaded_versions() as found:
        yield found


@pytest.fixture
def operator(db: None) -> Actor:
    return Actor(user=make_user("operator"), channel=Channel.CONSOLE)


def test_what_fits_is_moved_and_what_does_not_is_named(operator: Actor, versions: dict[str, RegisteredFunction]) -> None:
    fits, other = id_of(started(versions["1"])), id_of(started(versions["1"]))
    ended = make_execution(make_version("ended"), status="SUCCEEDED", ended_at=ago())
    batch = batches.draft_batch(operator, act="move", ids=[fits, ended.id], to_version="fits")
    batches.confirm_batch(operator, batch.pk, reason="repaired")
    diverging = batches.draft_batch(operator, act="move", ids=[other])
    batches.confirm_batch(operator, diverging.pk, reason="a try", to_version="changed")
    work_until_done()
    assert list(batch.items.order_by("id").values_list("outcome", "code")) == [("done", ""), ("failed", "execution_ended")]
    bad = diverging.items.get()
    assert (bad.outcome, bad.code) == ("failed", "execution_diverges")
    assert "STEP 'load & <b>'" in bad.message and "STEP 'fetch'" in bad.message
    assert [Execution.objects.get(id=one).version for one in (fits, other)] == ["fits", "1"]
    assert [one.reason for one in AuditEntry.objects.filter(action="execution.move")] == [f"repaired (batch {batch.pk})"]
    assert AuditEntry.objects.filter(action="batch.start").order_by("id").last().facts["to_version"] == "changed"  # type: ignore[union-attr]


def test_retry_leads_to_the_same_version(operator: Actor, versions: dict[str, RegisteredFunction]) -> None:
    batch = batches.draft_batch(operator, act="move", ids=[id_of(started(versions["1"]))], to_version="changed")
    batches.confirm_batch(operator, batch.pk, reason="a try")
    work_until_done()
    again = batches.retry_batch(operator, batch.pk, reason="after a look")
    assert (again.to_version, again.total) == ("changed", 1)


def test_version_is_asked_for_and_must_be_there(operator: Actor, versions: dict[str, RegisteredFunction]) -> None:
    ids = [id_of(started(versions["1"]))]
    with pytest.raises(InvalidInputError, match="has a version 9") as refusal:
        batches.draft_batch(operator, act="move", ids=ids, to_version="9")
    with pytest.raises(InvalidInputError, match="Only a move"):
        batches.draft_batch(operator, act="pause", ids=ids, to_version="fits")
    assert (refusal.value.facts["field"], Batch.objects.count()) == ("version", 0)
    batch = batches.draft_batch(operator, act="move", ids=ids)
    assert sorted(batches.versions_of(batch)) == ["1", "changed", "fits"]
    with pytest.raises(InvalidInputError, match="Choose the version"):
        batches.confirm_batch(operator, batch.pk, reason="a try")
    assert batch_work.work() == 0
