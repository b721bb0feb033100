"""The list: what it shows, what it asks, and when it answers that nothing changed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.models import Approval, Assignee
from execution_engine.models import FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import ago, make_callback, make_event, make_execution, make_worker

SEEN = re.compile(r'id="rows-live"[^>]*hx-get="([^"]+)"')
# Session, user and two for the rights of a person who is no superuser.
SIGN_IN = 4
PAGE = 3 + 1 + 3  # the list, the names of functions, the counts


def live_url(html: str) -> str:
    found = SEEN.search(html)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_the_same_queries_whatever_its_length(admin: Client, version: FunctionVersion, rows: int) -> None:
    for _ in range(rows):
        make_callback(make_execution(version))
    with CaptureQueriesContext(connection) as queries:
        answer = admin.get("/executions/")
    assert answer.content.decode().count("Waiting for callback manager</span>") == rows
    assert len(queries) == SIGN_IN + PAGE


def test_list_shows_state_name_function_and_attributes(admin: Client, version: FunctionVersion) -> None:
    execution = make_execution(version, name="expense-<7>", attributes={"customer": 42}, status_text="asks the manager", started_by="ada")
    make_callback(execution)
    html = admin.get("/").content.decode()
    texts = ["Waiting for callback manager", "expense-&lt;7&gt;", "expense-approval", "customer=42", "asks the manager", "ada"]
    assert [text for text in [*texts, f"/executions/{execution.id}/"] if text not in html] == []
    assert "<7>" not in html


def test_refresh_answers_204_until_something_changes(admin: Client, version: FunctionVersion) -> None:
    execution = make_execution(version)
    url = live_url(admin.get("/executions/").content.decode())
    assert admin.get(url, headers=HTMX).status_code == 204
    make_callback(execution)
    changed = admin.get(url, headers=HTMX)
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()
    assert admin.get(live_url(changed.content.decode()), headers=HTMX).status_code == 204


def test_further_page_of_ended_executions_is_not_live(admin: Client, version: FunctionVersion) -> None:
    for _ in range(51):
        make_execution(version, status="SUCCEEDED", ended_at=ago())
    first = admin.get("/executions/").content.decode()
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    second = admin.get(older.group(1).replace("&amp;", "&")).content.decode()
    assert (second.count('class="row"'), "rows-live" in second, "First page" in second) == (1, False, True)


def test_filter_fragment_sets_a_clean_address(admin: Client, version: FunctionVersion) -> None:
    make_execution(version, name="a")
    answer = admin.get("/executions/?q=a&function=&attribute=&state=", headers=HTMX)
    assert answer["HX-Push-Url"] == "/executions/?q=a"
    assert "<html" not in answer.content.decode()


def test_going_back_gets_the_whole_page(admin: Client) -> None:
    answer = admin.get("/executions/", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<html" in answer.content.decode()


def test_nothing_found_and_nothing_there_are_told_apart(admin: Client, version: FunctionVersion) -> None:
    assert "No executions yet" in admin.get("/").content.decode()
    make_execution(version)
    assert "No execution matches" in admin.get("/executions/?state=failed").content.decode()


def test_bad_filter_and_cursor_are_told_and_harmless(admin: Client, version: FunctionVersion) -> None:
    make_execution(version)
    html = admin.get("/executions/?state=odd&cursor=x&attribute=y&q=%00").content.decode()
    assert "There is no state “odd”" in html
    assert "This page address is not one of ours" in html
    assert "not of the form key=value" in html


@pytest.mark.parametrize("prefix", ["", "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/n/"])
def test_whole_id_or_arn_opens_the_execution(admin: Client, version: FunctionVersion, prefix: str) -> None:
    execution = make_execution(version)
    answer = admin.get("/executions/", {"q": f"{prefix}{execution.id}"})
    assert (answer.status_code, answer["Location"]) == (302, f"/executions/{execution.id}/")


def test_counts_link_to_their_state_and_refresh(admin: Client, version: FunctionVersion) -> None:
    make_callback(make_execution(version))
    html = admin.get("/executions/?function=expense-approval").content.decode()
    assert "?function=expense-approval&amp;state=waiting_for_callback" in html
    url = re.search(r'class="facets"[^>]*hx-get="([^"]+)"', html)
    assert url is not None
    address = url.group(1).replace("&amp;", "&")
    assert admin.get(address, headers=HTMX).status_code == 204
    make_execution(version)
    assert admin.get(address, headers=HTMX).status_code == 200


def test_navigation_tells_waiting_callbacks_and_workers(admin: Client, version: FunctionVersion) -> None:
    make_callback(make_execution(version))
    make_worker(version, in_flight=3)
    html = admin.get("/navigation/", headers=HTMX).content.decode()
    assert ("2 workers" in html, "3 of 16 threads busy" in html, "1 waiting" in html) == (True, True, True)


def test_navigation_of_whoever_is_only_asked_tells_their_approvals(sign_in: Callable[[str], Client], version: FunctionVersion) -> None:
    asked = sign_in("nobody")
    make_callback(make_execution(version))
    approval = Approval.objects.create(callback_id="c", execution_id=make_execution(version).id, operation_id="o", name="n", title="t")
    Assignee.objects.create(approval=approval, kind="user", name="nobody", key=asked.session["_auth_user_id"])
    html = asked.get("/navigation/", headers=HTMX).content.decode()
    assert ("1 waiting for you" in html, "worker" in html, "nav-callbacks" in html) == (True, False, False)
    links = re.findall(r'<a href="([^"]+)" data-go', asked.get("/approvals/").content.decode())
    assert links == ["/approvals/", "/settings/"]
    assert "What waits for your decision" in asked.get("/").content.decode()


def test_live_inbox_without_sign_in_leads_to_the_sign_in_page(client: Client, db: None) -> None:
    answer = client.get("/approvals/?seen=x", headers={**HTMX, "HX-Current-URL": "http://testserver/approvals/"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=/approvals/")


def test_fragment_without_sign_in_leads_to_the_sign_in_page(client: Client, db: None) -> None:
    answer = client.get("/executions/", headers={**HTMX, "HX-Current-URL": "http://testserver/executions/?q=a&state=failed"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=/executions/%3Fq=a%26state=failed")


def test_person_without_rights_gets_the_page_that_says_so(sign_in: Callable[[str], Client]) -> None:
    answer = sign_in("nobody").get("/executions/")
    assert answer.status_code == 403
    assert "Not allowed" in answer.content.decode()


def test_events_are_made_for_the_history(version: FunctionVersion, admin: Client) -> None:
    execution = make_execution(version)
    make_event(execution, 1, "ExecutionStarted", ago(seconds=3))
    answer: Any = admin.get(f"/executions/{execution.id}/?tab=history")
    assert "Execution started" in answer.content.decode()
