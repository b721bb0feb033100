"""From rows in the list to a batch that workers do."""

from typing import Any

import pytest
from django.test import Client

from durable_ops.actions import batch_work
from durable_ops.models import Batch
from execution_engine.models import Execution, FunctionVersion
from tests.factories import ago, make_event, make_execution

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(sign_in: Any) -> Client:
    return sign_in("operator")


@pytest.fixture
def failed(version: FunctionVersion) -> list[Execution]:
    found = []
    for number in range(3):
        execution = make_execution(version, name=f"bad-{number}", status="FAILED", ended_at=ago(seconds=9), event_seq=2)
        make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
        make_event(execution, 2, "ExecutionFailed", ago(seconds=9))
        found.append(execution)
    return found


def test_all_that_match_are_looked_at_confirmed_and_done(operator: Client, failed: list[Execution]) -> None:
    drafted = operator.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed&columns=ended"})
    page = operator.get(drafted["Location"]).content.decode()
    assert [word for word in ("Redrive 3 executions", "bad-0", "status=failed", "Nothing has been done yet") if word not in page] == []
    confirmed = operator.post(f"{drafted['Location']}confirm/", {"reason": "the bank is back"}, follow=True)
    assert "0 of 3 tried" in confirmed.content.decode()
    while batch_work.work():
        pass
    page = operator.get(drafted["Location"]).content.decode()
    assert "3 of 3 tried, 3 done, 0 failed" in page
    assert "batch-live" not in page
    assert "Redrive 3" in operator.get("/batches/").content.decode()


def test_ticked_rows_alone_are_chosen(operator: Client, failed: list[Execution]) -> None:
    operator.post("/batches/new/", {"act": "redrive", "scope": "rows", "id": [str(failed[0].id), str(failed[1].id)], "query": "q=bad"})
    assert list(Batch.objects.get().items.values_list("execution_id", flat=True)) == [failed[0].id, failed[1].id]


@pytest.mark.parametrize("form", [{"act": "redrive", "scope": "rows"}, {"act": "x", "id": ["1"]}, {"act": "redrive", "scope": "all"}])
def test_bad_choice_leads_back_with_a_sentence(operator: Client, failed: list[Execution], form: dict[str, Any]) -> None:
    answer = operator.post("/batches/new/", {**form, "query": ""}, follow=True)
    assert answer.status_code == 200
    assert [str(message) for message in answer.context["messages"]] != []
    assert not Batch.objects.exists()


def test_reason_is_asked_for_and_abort_ends_it(operator: Client, failed: list[Execution]) -> None:
    address = operator.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed"})["Location"]
    assert "needs a reason" in operator.post(f"{address}confirm/", {"reason": ""}, follow=True).content.decode()
    operator.post(f"{address}confirm/", {"reason": "again"})
    assert "3 not tried" in operator.post(f"{address}abort/", follow=True).content.decode()
    retried = operator.post(f"{address}retry/", {"reason": "after all"}, follow=True).content.decode()
    assert "0 of 3 tried" in retried


def test_running_batch_refreshes_until_it_ends(operator: Client, failed: list[Execution]) -> None:
    address = operator.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed"})["Location"]
    operator.post(f"{address}confirm/", {"reason": "again"})
    html = operator.get(address).content.decode()
    live = html.split('id="batch-live"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert operator.get(live, headers={"HX-Request": "true", "HX-Request-Type": "partial"}).status_code == 204
    batch_work.work()
    assert operator.get(live, headers={"HX-Request": "true", "HX-Request-Type": "partial"}).status_code == 200


def test_viewer_may_look_but_not_act(sign_in: Any, operator: Client, failed: list[Execution]) -> None:
    address = operator.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed"})["Location"]
    viewer = sign_in("viewer")
    assert "Do it?" not in viewer.get(address).content.decode()
    assert viewer.post(f"{address}confirm/", {"reason": "x"}).status_code == 403
    assert viewer.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed"}).status_code == 403
    assert operator.get("/batches/99999/").status_code == 404
