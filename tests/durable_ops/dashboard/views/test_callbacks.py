"""The inbox and the page behind a link: GET shows, POST decides once."""

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from durable_ops.models import AuditEntry, Protection, Right
from durable_ops.permissions import has_right
from execution_engine.models import Operation
from execution_engine.services.executions import StartOptions, start_execution, stop_execution
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.journal import callback_row, open_callback, register_function
from tests.durable_ops.people import make_user
from tests.factories import ago

pytestmark = pytest.mark.django_db


@pytest.fixture
def callback_id() -> str:
    started = start_execution(register_function("echo"), None, name="expense-7")
    return open_callback(started.id)


@pytest.fixture
def approver(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("approver")


@pytest.mark.parametrize(("verb", "action"), [("approve", "approved"), ("reject", "rejected")])
def test_decision_completes_the_callback_and_is_audited(approver: Client, callback_id: str, verb: str, action: str) -> None:
    answer = approver.post(f"/callbacks/{callback_id}/{verb}", {"comment": "fine <b>by me</b>"}, follow=True)
    assert answer.redirect_chain == [("/callbacks/", 302)]
    assert json.loads(callback_row(callback_id)["payload"]) == {"action": action, "by": "approver", "comment": "fine <b>by me</b>"}
    assert AuditEntry.objects.values_list("action", "reason").get() == (f"callback.{verb}", "fine <b>by me</b>")
    assert "Nothing waits for an answer" in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_link_decides_nothing(approver: Client, callback_id: str, method: str) -> None:
    answer = getattr(approver, method)(f"/callbacks/{callback_id}/approve")
    assert (answer.status_code, callback_row(callback_id)["status"]) == (200, "STARTED")


def test_link_shows_what_is_decided(approver: Client, callback_id: str) -> None:
    html = approver.get(f"/callbacks/{callback_id}/reject").content.decode()
    assert ("Reject “manager”?" in html, "expense-7" in html, "Approve instead" in html) == (True, True, True)


def test_used_link_says_who_decided(approver: Client, callback_id: str) -> None:
    approver.post(f"/callbacks/{callback_id}/approve", {"comment": "ok"})
    for answer in (approver.get(f"/callbacks/{callback_id}/approve"), approver.post(f"/callbacks/{callback_id}/reject")):
        html = answer.content.decode()
        assert answer.status_code == 410
        assert re.search(r"was\s+approved by <strong>approver</strong>", html)
    assert AuditEntry.objects.count() == 1


def test_late_link_says_so(approver: Client, callback_id: str) -> None:
    row = Operation.objects.filter(callback_id=callback_id)
    super(type(row), row).update(due_at=ago(seconds=5))
    answer = approver.post(f"/callbacks/{callback_id}/approve")
    assert (answer.status_code, "Too late" in answer.content.decode()) == (409, True)
    assert callback_row(callback_id)["status"] == "STARTED"


def test_callback_of_a_stopped_execution_is_no_longer_needed(approver: Client, callback_id: str) -> None:
    stop_execution(callback_row(callback_id)["execution_id"])
    answer = approver.get(f"/callbacks/{callback_id}/approve")
    assert (answer.status_code, "No longer needed" in answer.content.decode()) == (410, True)


def test_unknown_link_is_404(approver: Client) -> None:
    answer = approver.get("/callbacks/nonsense/approve")
    assert (answer.status_code, "There is no such callback" in answer.content.decode()) == (404, True)


def test_inbox_shows_who_waits_and_refreshes(approver: Client, callback_id: str) -> None:
    html = approver.get("/callbacks/").content.decode()
    assert ("manager" in html, "expense-7" in html, html.count(">Approve<")) == (True, True, 1)
    url = re.search(r'id="cards-live"[^>]*hx-get="([^"]+)"', html)
    assert url is not None
    assert approver.get(url.group(1), headers=HTMX).status_code == 204
    approver.post(f"/callbacks/{callback_id}/approve")
    assert approver.get(url.group(1), headers=HTMX).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_see_but_do_not_decide(sign_in: Callable[[str], Client], callback_id: str, role: str) -> None:
    client = sign_in(role)
    assert ">Approve<" not in client.get("/callbacks/").content.decode()
    assert client.post(f"/callbacks/{callback_id}/approve").status_code == 403
    assert callback_row(callback_id)["status"] == "STARTED"


def test_following_page_stays_on_this_site(approver: Client, callback_id: str) -> None:
    answer = approver.post(f"/callbacks/{callback_id}/approve", {"next": "https://elsewhere.example/"})
    assert answer["Location"] == "/callbacks/"


def test_stranger_is_asked_to_sign_in_first(client: Client, callback_id: str) -> None:
    answer = client.post(f"/callbacks/{callback_id}/approve")
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next=/callbacks/{callback_id}/approve")
    assert not has_right(make_user("nobody"), Right.DECIDE_CALLBACK)


def test_masked_attributes_are_masked_wherever_callbacks_and_executions_are_listed(sign_in: Callable[[str], Client]) -> None:
    Protection.objects.create(pattern="echo", masked=["iban"])
    started = start_execution(register_function("echo"), None, name="expense-8", options=StartOptions({"iban": "DE12", "region": "eu"}))
    open_callback(started.id)
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set status_text = 'iban: DE13'")
    client = sign_in("operator")
    pages = {path: client.get(path).content.decode() for path in ("/callbacks/", "/", "/functions/echo/")}
    assert [path for path, html in pages.items() if "DE1" in html] == []
    assert "eu" in pages["/callbacks/"] and all("iban: •••" in html for html in pages.values())
