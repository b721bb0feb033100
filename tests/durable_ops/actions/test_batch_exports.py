"""Batches that export: what was frozen and no more, as whoever downloads it may see it."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from durable_ops.actions import batch_export, batch_work, batches
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry, Batch, BatchItem
from durable_ops.permissions import access_of
from durable_ops.selectors import exports
from execution_engine.models import Execution
from execution_engine.selectors.search import ExecutionFilters
from tests.durable_ops.actions.test_batches import outcomes, work_until_done
from tests.durable_ops.people import make_limited, make_user
from tests.factories import ago, make_execution, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(db: None) -> Actor:
    return Actor(user=make_user("viewer"), channel=Channel.CONSOLE)


def exported(actor: Actor, ids: list[UUID]) -> Batch:
    batch = batches.draft_batch(actor, act="export", ids=ids)
    batches.confirm_batch(actor, batch.pk, reason="for the auditors")
    work_until_done()
    batch.refresh_from_db()
    return batch


def rows(batch: Batch, reader: Any) -> list[exports.Row]:
    return list(batch_export.exported_rows(batch, access_of(reader)))


def test_export_is_what_the_list_would_export(viewer: Actor) -> None:
    version = make_version()
    make_execution(version, name="later", attributes={"customer": "Ä"}, started_at=ago(minutes=1))
    make_execution(version, name="ended", status="FAILED", started_at=ago(minutes=2), ended_at=ago(minutes=1))
    batch = exported(viewer, list(Execution.objects.order_by("-started_at").values_list("id", flat=True)))
    listed = list(exports.matching_rows(ExecutionFilters(), access_of(viewer.user)))
    found = rows(batch, viewer.user)
    for one in (*listed, *found):
        one.pop("duration")  # of an open one it goes on
    assert (found, [list(one) for one in found]) == (listed, [list(one) for one in listed])
    assert [one["name"] for one in json.loads("".join(exports.lines_of(iter(found), "json")))] == ["later", "ended"]
    assert AuditEntry.objects.filter(action__startswith="batch.").count() == 2


def test_a_frozen_set_of_several_pieces_is_whole_and_in_order(viewer: Actor) -> None:
    version = make_version()
    ids = [make_execution(version, name=f"e-{number}").id for number in range(batch_export.CHUNK + 3)]
    batch = batches.draft_batch(viewer, act="export", ids=[*ids, uuid4()])
    make_execution(version, name="newcomer")
    batches.confirm_batch(viewer, batch.pk, reason="for the auditors")
    with CaptureQueriesContext(connection) as captured:
        assert batch_work._try_next(batch) == batch_export.CHUNK
    assert sum(query["sql"].lstrip().lower().startswith("update") for query in captured) == 1
    work_until_done()
    batch.refresh_from_db()
    assert [one["id"] for one in rows(batch, viewer.user)] == [str(one) for one in ids]
    assert outcomes(batch) == {"done": len(ids), "failed": 1}
    assert batch.items.get(outcome="failed").code == "execution_not_found"


def test_reader_gets_what_they_may_see(settings: Any) -> None:
    settings.DURABLE_MASKED_FIELDS = {"*": ["iban"]}
    admin = Actor(user=make_user("administrator"), channel=Channel.CONSOLE)
    ids = [make_execution(make_version(name), attributes={"iban": "DE1", "region": "eu"}).id for name in ("own-f", "foreign-f")]
    batch = exported(admin, ids)
    assert [one["attributes"]["iban"] for one in rows(batch, admin.user)] == ["DE1", "DE1"]
    assert [one["attributes"] for one in rows(batch, make_user("viewer"))] == [{"iban": "•••", "region": "eu"}] * 2
    assert [one["function"] for one in rows(batch, make_limited("viewer", "own-*"))] == ["own-f"]


def test_a_masked_value_is_hidden_in_attributes_too(settings: Any) -> None:
    settings.DURABLE_MASKED_FIELDS = {"*": ["iban"]}
    admin = Actor(user=make_user("administrator"), channel=Channel.CONSOLE)
    execution = make_execution(make_version(), input='{"iban": "DE1234567890"}', attributes={"key": "DE1234567890", "region": "eu"})
    batch, viewer = exported(admin, [execution.id]), make_user("viewer")
    listed = list(exports.matching_rows(ExecutionFilters(), access_of(viewer)))
    assert [one["attributes"] for one in (*rows(batch, viewer), *listed)] == [{"key": "•••", "region": "eu"}] * 2
    assert rows(batch, admin.user)[0]["attributes"]["key"] == "DE1234567890"


def test_rights_of_the_moment_count(viewer: Actor) -> None:
    limited = Actor(user=make_limited("viewer", "own-*"), channel=Channel.CONSOLE)
    ids = [make_execution(make_version("own-f")).id]
    batch = batches.draft_batch(limited, act="export", ids=ids)
    batches.confirm_batch(limited, batch.pk, reason="mine")
    limited.user.groups.clear()
    work_until_done()
    assert list(batch.items.values_list("outcome", "code", "row")) == [("failed", "permission_denied", None)]
    with pytest.raises(PermissionDenied):
        batches.draft_batch(Actor(user=make_user("nobody")), act="export", ids=ids)


def test_there_is_no_file_before_the_end(viewer: Actor) -> None:
    ids = [make_execution(make_version()).id]
    batch = batches.draft_batch(viewer, act="export", ids=ids)
    running = batches.confirm_batch(viewer, batches.draft_batch(viewer, act="export", ids=ids).pk, reason="x")
    for one in (batch, running):
        with pytest.raises(batches.BatchStateError, match="no file"):
            rows(one, viewer.user)
    given_up = batches.abort_batch(viewer, batches.draft_batch(viewer, act="export", ids=ids).pk)
    with pytest.raises(batches.BatchStateError):
        rows(given_up, viewer.user)


def test_rows_go_with_the_batch(viewer: Actor) -> None:
    batch = exported(viewer, [make_execution(make_version()).id])
    assert BatchItem.objects.filter(row__isnull=False).count() == 1
    Batch.objects.filter(pk=batch.pk).update(ended_at=ago(days=91))
    batch_work.forget_old()
    assert not BatchItem.objects.exists()
