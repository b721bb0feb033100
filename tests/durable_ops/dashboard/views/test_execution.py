"""One execution: parts of the page, payloads by right, live refresh."""

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from execution_engine.models import Execution, FunctionVersion, Operation
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import ago, make_callback, make_event, make_execution, make_operation, some_id

MARKUP = '{"note": "</pre><script>alert(1)</script> 🎉"}'
LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')
SIGN_IN = 4


@pytest.fixture
def execution(version: FunctionVersion) -> Execution:
    return make_execution(version, name="expense-7", input=MARKUP, attributes={"customer": 42})


def page(client: Client, execution: Execution, query: str = "") -> str:
    answer = client.get(f"/executions/{execution.id}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_page_asks_the_same_queries_whatever_its_length(admin: Client, execution: Execution, rows: int) -> None:
    for _ in range(rows):
        make_operation(execution)
    with CaptureQueriesContext(connection) as queries:
        html = page(admin, execution)
    assert html.count('id="operation-') == rows
    # The mark; execution, open operations; operations and events of the time line, usual durations; the table.
    assert len(queries) == SIGN_IN + 1 + 2 + 1 + 1 + 3 + 1 + 3  # the last three: cost; after the first two: why it waits, its approvals


def test_header_says_why_it_does_not_move(admin: Client, execution: Execution) -> None:
    make_callback(execution)
    html = page(admin, execution)
    assert "Nobody has answered callback manager yet." in html
    assert "/executions/?attribute=customer%3D42" in html


def test_error_of_a_failed_execution_stands_in_the_header(admin: Client, version: FunctionVersion) -> None:
    error = json.dumps({"ErrorType": "CardDeclined", "ErrorMessage": "<b>no</b>"})
    html = page(admin, make_execution(version, status="FAILED", ended_at=ago(), error=error))
    assert "CardDeclined" in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html


def test_header_says_what_is_tried_again(admin: Client, sign_in: Callable[[str], Client], execution: Execution) -> None:
    error = json.dumps({"ErrorType": "shop.Busy", "ErrorMessage": "the card company is down"})
    make_operation(execution, status="PENDING", attempt=1, due_at=ago(seconds=-60), error=error)
    assert "the card company is down" in page(admin, execution)
    assert "the card company is down" not in page(sign_in("approver"), execution)


def test_operations_can_be_narrowed_to_those_that_failed(admin: Client, execution: Execution) -> None:
    ids = {status: make_operation(execution, status=status).id for status in ("SUCCEEDED", "FAILED", "STARTED")}
    shown = re.compile(r'id="operation-(\w+)"')
    assert shown.findall(page(admin, execution, "?tab=operations&only=failed")) == [ids["FAILED"]]
    assert shown.findall(page(admin, execution, "?tab=operations&only=open")) == [ids["STARTED"]]
    assert shown.findall(page(admin, execution, "?only=odd")) == list(ids.values())


def test_payload_is_text_never_markup(admin: Client, execution: Execution) -> None:
    html = page(admin, execution, "?tab=data")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 🎉" in html


def test_operation_result_is_text_never_markup(admin: Client, execution: Execution) -> None:
    operation = make_operation(execution, status="SUCCEEDED", name="<i>load</i>", payload=MARKUP)
    html = admin.get(f"/executions/{execution.id}/operations/{operation.id}/", headers=HTMX).content.decode()
    assert ("<script>alert" in html, "<i>load" in html, "&lt;i&gt;load" in html, "<html" in html) == (False, False, True, False)
    whole = page(admin, execution, f"?operation={operation.id}")
    assert 'id="drawer-title"' in whole


def test_drawer_tells_every_attempt(admin: Client, sign_in: Callable[[str], Client], execution: Execution) -> None:
    last = json.dumps({"ErrorType": "shop.Declined", "ErrorMessage": "at last"})
    step = make_operation(execution, status="FAILED", attempt=2, start_event=2, error=last)
    make_event(execution, 2, "StepStarted", ago(seconds=9), operation_id=step.id)
    retry = {"RetryDetails": {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 2}}
    error = json.dumps({"ErrorType": "shop.Busy", "ErrorMessage": "<b>later</b>"})
    make_event(execution, 3, "StepFailed", ago(seconds=8), operation_id=step.id, details=retry, error=error)
    make_event(execution, 4, "StepStarted", ago(seconds=6), operation_id=step.id)
    make_event(execution, 5, "StepFailed", ago(seconds=5), operation_id=step.id, details={"RetryDetails": {"CurrentAttempt": 2}})
    address = f"/executions/{execution.id}/operations/{step.id}/"
    html = admin.get(address, headers=HTMX).content.decode()
    attempts = html[html.index('class="attempts"') : html.index("</ol>")]
    assert re.findall(r'class="words">(\w+)<', attempts) == ["Declined", "Busy"]
    assert "&lt;b&gt;later&lt;/b&gt;" in attempts
    assert "later" not in sign_in("approver").get(address, headers=HTMX).content.decode()


def test_drawer_tells_who_may_answer(admin: Client, execution: Execution) -> None:
    callback = make_callback(execution, options={"timeout": 600, "heartbeat": 60}, due_at=ago(seconds=-60))
    html = admin.get(f"/executions/{execution.id}/operations/{callback.id}/", headers=HTMX).content.decode()
    assert "Who may answer" in html
    assert "every 1 min" in html
    assert f'data-copy="http://testserver/callbacks/{callback.callback_id}/approve"' in html


def test_a_result_is_shown_as_the_json_that_people_type(admin: Client, execution: Execution) -> None:
    stored = '{"t":"m","v":{"amount":{"t":"i","v":5}}}'
    step = make_operation(execution, status="SUCCEEDED", ended_at=ago(), payload=stored)
    callback = make_callback(execution, status="SUCCEEDED", ended_at=ago(), payload=stored)

    def shown(operation: Operation) -> bool:
        html = admin.get(f"/executions/{execution.id}/operations/{operation.id}/", headers=HTMX).content.decode()
        return "amount" in html and "&quot;t&quot;" not in html

    assert (shown(step), shown(callback)) == (True, False)
    assert admin.get(f"/executions/{execution.id}/operations/{step.id}/payload/").content.decode() == stored


def test_raw_payload_is_plain_text_as_stored(admin: Client, execution: Execution) -> None:
    answer = admin.get(f"/executions/{execution.id}/payload/input/")
    assert answer.content.decode() == MARKUP
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("text/plain; charset=utf-8", "nosniff")
    download = admin.get(f"/executions/{execution.id}/payload/input/?download")
    assert download["Content-Disposition"] == f'attachment; filename="{execution.id}-input.json"'
    assert admin.get(f"/executions/{execution.id}/payload/result/").status_code == 404
    assert admin.get(f"/executions/{execution.id}/payload/id/").status_code == 404


def test_approver_sees_the_execution_but_no_payload(sign_in: Callable[[str], Client], execution: Execution) -> None:
    operation = make_operation(execution, status="SUCCEEDED", payload='"hidden-result"')
    approver = sign_in("approver")
    assert "Payloads are not shown to you" in page(approver, execution, "?tab=data")
    assert "hidden-result" not in page(approver, execution, f"?operation={operation.id}")
    refused = ["payload/input/", f"operations/{operation.id}/payload/", "history.json", "events/1/"]
    assert {approver.get(f"/executions/{execution.id}/{path}").status_code for path in refused} == {403}


def test_refresh_answers_204_until_something_changes(admin: Client, execution: Execution) -> None:
    found = LIVE.search(page(admin, execution))
    assert found is not None
    url = found.group(1).replace("&amp;", "&")
    assert admin.get(url, headers=HTMX).status_code == 204
    make_callback(execution)
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set event_seq = event_seq + 1 where id = %s", [execution.id])
    changed = admin.get(url, headers=HTMX)
    assert (changed.status_code, "<html" in changed.content.decode()) == (200, False)


def test_ended_execution_is_not_asked_again(admin: Client, version: FunctionVersion) -> None:
    assert LIVE.search(page(admin, make_execution(version, status="SUCCEEDED", ended_at=ago()))) is None


def test_history_filters_by_type_and_order(admin: Client, execution: Execution) -> None:
    for number, kind in enumerate(["ExecutionStarted", "StepStarted", "StepSucceeded"], start=1):
        make_event(execution, number, kind, ago(seconds=10 - number))
    events = re.compile(r'id="event-(\d+)"')
    assert events.findall(page(admin, execution, "?tab=history")) == ["1", "2", "3"]
    assert events.findall(page(admin, execution, "?tab=history&order=newest")) == ["3", "2", "1"]
    assert events.findall(page(admin, execution, "?tab=history&type=StepStarted")) == ["2"]
    assert events.findall(page(admin, execution, "?tab=history&type=odd&after=x")) == ["1", "2", "3"]
    assert admin.get(f"/executions/{execution.id}/events/2/").json()["EventType"] == "StepStarted"
    assert [one["EventId"] for one in json.loads(admin.get(f"/executions/{execution.id}/history.json").getvalue())] == [1, 2, 3]
    assert admin.get(f"/executions/{execution.id}/events/9/").status_code == 404


def test_unknown_execution_and_operation_are_404(admin: Client, execution: Execution) -> None:
    assert admin.get(f"/executions/{some_id(1)}/").status_code == 404
    assert admin.get(f"/executions/{execution.id}/operations/unknown/").status_code == 404
    assert 'id="drawer-title"' not in page(admin, execution, "?operation=unknown")


def test_large_execution_is_shown_by_windows(admin: Client, execution: Execution) -> None:
    for _ in range(101):
        make_operation(execution)
    first = page(admin, execution)
    following = re.search(r'href="([^"]+after=\d+)"', first)
    assert following is not None
    second = page(admin, execution, following.group(1).replace("&amp;", "&").partition("/")[2].rpartition("/")[2])
    assert (first.count('id="operation-'), second.count('id="operation-')) == (100, 1)


def test_parents_and_children_are_linked(admin: Client, execution: Execution, version: FunctionVersion) -> None:
    invoke = make_operation(execution, "CHAINED_INVOKE", name="ship")
    child = make_execution(version, name="child-1", parent_id=execution.id, parent_operation_id=invoke.id)
    assert f'href="/executions/{execution.id}/"' in page(admin, child)
    assert f'href="/executions/{child.id}/"' in page(admin, execution, f"?operation={invoke.id}")
    children = admin.get(f"/executions/?parent={execution.id}").content.decode()
    assert ("child-1" in children, "expense-7" in children) == (True, False)
    assert "is no execution id" in admin.get("/executions/?parent=odd").content.decode()


def test_followed_history_shows_its_end_in_order(admin: Client, version: FunctionVersion) -> None:
    execution = make_execution(version, event_seq=150)
    for number in range(1, 151):
        make_event(execution, number, "StepStarted", ago(seconds=200 - number))
    html = admin.get(f"/executions/{execution.id}/?tab=history&order=follow").content.decode()
    shown = [int(number) for number in re.findall(r'id="event-(\d+)"', html)]
    assert (shown == sorted(shown), shown[-1], 1 in shown, "New events appear here." in html) == (True, 150, False, True)
