"""From rows in the list to a batch that workers do."""

import html
import json
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from durable_ops.actions import batch_work
from durable_ops.models import Batch
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.versions import loaded_versions, started
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


def test_move_asks_where_to_and_names_what_does_not_fit(operator: Client, sign_in: Any) -> None:
    with loaded_versions() as versions:
        started(versions["1"])
        address = operator.post("/batches/new/", {"act": "move", "scope": "all", "query": "function=planned"})["Location"]
        assert "<option>changed</option><option>fits</option><option>1</option>" in operator.get(address).content.decode()
        assert "Choose the version" in operator.post(f"{address}confirm/", {"reason": "x"}, follow=True).content.decode()
        operator.post(f"{address}confirm/", {"reason": "x", "version": "changed"})
        batch_work.work()
        page = strip_tags(operator.get(address).content.decode())
    assert [words for words in ("To version", "STEP 'fetch'", "execution_diverges") if words not in html.unescape(page)] == []


def test_export_is_downloaded_from_its_page(operator: Client, failed: list[Execution]) -> None:
    ids = [str(one.id) for one in failed]
    address = operator.post("/batches/new/", {"act": "export", "scope": "rows", "id": ids})["Location"]
    assert "The file" not in operator.get(address).content.decode()
    assert "There is no file" in operator.get(f"{address}export.csv", follow=True).content.decode()
    operator.post(f"{address}confirm/", {"reason": "for the auditors"})
    batch_work.work()
    page = operator.get(address).content.decode()
    assert [link for link in (f"{address}export.csv", f"{address}export.json") if f'href="{link}"' not in page] == []
    rows = json.loads(b"".join(operator.get(f"{address}export.json")))  # type: ignore[call-overload]
    assert [row["id"] for row in rows] == ids
    assert operator.get(f"{address}export.xml").status_code == 404


def test_list_offers_the_acts_that_a_person_may_do(operator: Client, sign_in: Any, failed: list[Execution]) -> None:
    page = sign_in("viewer").get("/executions/").content.decode()
    assert ('value="export"' in page, 'value="move"' in page) == (True, False)
    page = operator.get("/executions/").content.decode()
    assert ('value="move"' in page, 'value="delete"' in page) == (True, False)


def test_running_batch_refreshes_until_it_ends(operator: Client, failed: list[Execution]) -> None:
    address = operator.post("/batches/new/", {"act": "redrive", "scope": "all", "query": "status=failed"})["Location"]
    operator.post(f"{address}confirm/", {"reason": "again"})
    page = operator.get(address).content.decode()
    live = page.split('id="batch-live"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
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
