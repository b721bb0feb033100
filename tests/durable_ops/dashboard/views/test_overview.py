import re
from collections.abc import Callable

import pytest
from django.test import Client

from durable_ops.dashboard.charts.activity import activity_figure, latency_figure
from execution_engine.models import FunctionVersion
from execution_engine.selectors.activity import EPOCH, Bucket
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import ago, make_callback, make_execution, make_operation, make_version


def test_overview_shows_what_needs_somebody(admin: Client, version: FunctionVersion) -> None:
    make_execution(version, status="FAILED", ended_at=ago(), error='{"ErrorType": "shop.CardDeclined"}')
    retrying = make_execution(version, name="sync-1", due_at=ago(seconds=-60))
    make_operation(retrying, status="PENDING", name="push", attempt=1, due_at=ago(seconds=-60))
    make_execution(make_version("orphan", "3"), due_at=ago(seconds=5))
    make_callback(make_execution(version, status_text="Expense E-1"))
    html = admin.get("/overview/").content.decode()
    for text in ("CardDeclined", "orphan v3", "Expense E-1", "4 started, 1 failed", "expense-approval v1"):
        assert text in html
    assert '?state=retrying&amp;function=expense-approval">push</a>' in html
    assert "&amp;error=CardDeclined" in html


def test_executions_that_retry_the_same_step_are_one_line(admin: Client, version: FunctionVersion) -> None:
    for _ in range(3):
        make_operation(make_execution(version, due_at=ago(seconds=-60)), status="PENDING", name="push", attempt=1, due_at=ago(seconds=-60))
    html = admin.get("/overview/").content.decode()
    assert (html.count(">push</a>"), "<b>3</b> retrying" in html) == (1, True)


def test_nothing_to_do_is_said(admin: Client, version: FunctionVersion) -> None:
    html = admin.get("/overview/?span=30d").content.decode()
    assert ("All is well" in html, "Nothing started in this time" in html, "No live worker" in html) == (True, True, False)


@pytest.mark.django_db
def test_missing_workers_are_the_first_thing_one_reads(admin: Client) -> None:
    assert "No live worker." in admin.get("/overview/").content.decode()


def test_refresh_answers_204_until_something_changes(admin: Client, version: FunctionVersion) -> None:
    found = re.search(r'id="overview-live"[^>]*hx-get="([^"]+)"', admin.get("/overview/?span=24h").content.decode())
    assert found is not None
    url = found.group(1).replace("&amp;", "&")
    assert admin.get(url, headers=HTMX).status_code == 204
    make_execution(version)
    assert admin.get(url, headers=HTMX).status_code == 200


def test_types_of_errors_are_for_those_who_may_read_payloads(sign_in: Callable[[str], Client], version: FunctionVersion) -> None:
    make_execution(version, status="FAILED", ended_at=ago(), error='{"ErrorType": "shop.CardDeclined"}')
    assert "CardDeclined" not in sign_in("approver").get("/overview/").content.decode()


def test_figures_leave_out_what_did_not_happen() -> None:
    buckets = [Bucket(EPOCH, 2, 0, 0, 1, None, None), Bucket(EPOCH.replace(hour=1), 0, 0, 0, 0, None, None)]
    figure = activity_figure(buckets)
    begin = EPOCH.timestamp() * 1000
    assert [(trace["meta"], trace["name"], trace["y"]) for trace in figure["data"]] == [
        ("succeeded", "succeeded", [2, 0]),
        ("running", "still open", [1, 0]),
    ]
    assert figure["range"] == [begin, begin + 2 * 3_600_000]
    assert latency_figure(buckets)["data"] == []
