"""Django's admin shows executions, changes nothing itself, and leads to the console."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.actions import batch_work, batches
from durable_ops.actions.actor import Actor
from durable_ops.models import Batch
from execution_engine.models import Execution
from tests.durable_ops.people import make_user
from tests.factories import ago, make_event, make_execution, make_version

pytestmark = pytest.mark.django_db
LIST = "/admin/execution_engine/execution/"


def staff(role: str) -> Client:
    user = make_user(role)
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def failed(db: None) -> Execution:
    execution = make_execution(make_version(), name="order-<1>", status="FAILED", ended_at=ago(), input='{"secret": 1}', event_seq=2)
    make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
    make_event(execution, 2, "ExecutionFailed", ago())
    return execution


def test_list_and_detail_show_no_payloads_and_lead_to_the_console(failed: Execution) -> None:
    client = staff("operator")
    with CaptureQueriesContext(connection) as queries:
        pages = [client.get(address).content.decode() for address in (LIST, f"{LIST}{failed.id}/change/")]
    for page in pages:
        assert "order-&lt;1&gt;" in page
        assert f"/executions/{failed.id}/" in page
        assert "secret" not in page
    assert not [query for query in queries if '"durable_execution"."input"' in query["sql"]]


def test_search_is_by_prefix_and_filter_by_status(failed: Execution) -> None:
    client = staff("operator")
    assert "order-&lt;1&gt;" in client.get(f"{LIST}?q=order").content.decode()
    assert "order-&lt;1&gt;" not in client.get(f"{LIST}?q=rder").content.decode()
    assert "order-&lt;1&gt;" not in client.get(f"{LIST}?status__exact=RUNNING").content.decode()


def test_redrive_goes_through_a_batch_with_a_reason(failed: Execution) -> None:
    client = staff("operator")
    answer = client.post(LIST, {"action": "redrive", "_selected_action": [str(failed.id)]})
    batch = Batch.objects.get()
    assert (answer["Location"], batch.status, batch.channel) == (f"/batches/{batch.pk}/", Batch.Status.DRAFT, "admin")
    batches.confirm_batch(Actor(user=batch.user), batch.pk, reason="again")
    batch_work.work()
    assert Execution.objects.get().status == "RUNNING"


def test_nothing_can_be_changed_there(failed: Execution) -> None:
    client = staff("superuser")
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{failed.id}/change/", {"name": "x"}).status_code == 403
    assert client.post(f"{LIST}{failed.id}/delete/", {"post": "yes"}).status_code == 403
    assert (Execution.objects.get().name, LogEntry.objects.count()) == ("order-<1>", 0)


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_redrive_is_not_offered_without_its_right(failed: Execution, role: str) -> None:
    client = staff(role)
    assert "Redrive the selected" not in client.get(LIST).content.decode()
    client.post(LIST, {"action": "redrive", "_selected_action": [str(failed.id)]})
    assert not Batch.objects.exists()


@pytest.mark.parametrize(("path", "status"), [("/admin/", 302), ("/admin/login/", 302), (LIST, 302)])
def test_there_is_one_sign_in_page(client: Client, path: str, status: int) -> None:
    answer: Any = client.get(path)
    assert (answer.status_code, answer["Location"].startswith("/login/?next=/admin/")) == (status, True)


def test_whoever_is_no_staff_is_refused(failed: Execution) -> None:
    client = Client()
    client.force_login(make_user("operator"))
    assert {client.get(path).status_code for path in ("/admin/", "/admin/login/", LIST)} == {403}
