"""The pages of schedules and limits, without a browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from durable_ops.models import AuditEntry, Protection
from execution_engine.models import Execution, Limit, Schedule
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_limited, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("steady_hour")]
BODY = {"name": "nightly", "function": "echo", "rule": "30 2 * * *", "timezone": "Europe/Berlin", "input": '{"n": 1}', "overlap": "skip"}
BODY |= {"catch_up": "3", "attributes": "team=ops"}


@pytest.fixture
def client() -> Client:
    register_function("echo")
    found = Client()
    found.force_login(make_user("operator", "olga"))
    return found


def make(client: Client, **changes: str) -> Schedule:
    answer = client.post("/schedules/new/", {**BODY, **changes})
    assert answer.status_code == 302, answer.content
    return Schedule.objects.get(name=changes.get("name", "nightly"))


def test_made_looked_at_changed_and_deleted(client: Client) -> None:
    row = make(client)
    page = client.get(f"/schedules/{row.id}/").content.decode()
    assert "At 02:30 every day" in page and "Europe/Berlin" in page and "the latest 3 missed firings are made up for" in page
    assert "nightly" in client.get("/schedules/").content.decode()
    form = client.get(f"/schedules/{row.id}/edit/").content.decode()
    assert "team=ops" in form and 'value="30 2 * * *"' in form
    body = {**BODY, "rule": "3600", "revision": str(row.revision), "reason": "often"}
    assert client.post(f"/schedules/{row.id}/edit/", body).status_code == 302
    stale = client.post(f"/schedules/{row.id}/edit/", {**body, "rule": "60"})
    assert stale.status_code == 412 and "Somebody else changed" in stale.content.decode()
    assert client.post(f"/schedules/{row.id}/delete/", {}).status_code == 422
    assert client.post(f"/schedules/{row.id}/delete/", {"reason": "over"}).status_code == 302
    assert client.get(f"/schedules/{row.id}/").status_code == 404
    actions = list(AuditEntry.objects.filter(object_type="schedule").order_by("id").values_list("action", flat=True))
    assert actions == ["schedule.create", "schedule.change", "schedule.delete"]


def test_paused_resumed_and_fired(client: Client) -> None:
    row = make(client)
    for act in ("pause", "resume", "trigger"):
        assert client.get(f"/schedules/{row.id}/{act}/").status_code == 200
        assert client.post(f"/schedules/{row.id}/{act}/", {"reason": "r"}).status_code == 302
    assert Execution.objects.get().name.startswith(f"schedule-{row.id}-")
    assert client.get(f"/schedules/{row.id}/explode/").status_code == 404


def test_a_backfill_shows_its_count_first(client: Client) -> None:
    row = make(client, rule="0 * * * *")
    end = datetime.now(UTC).replace(minute=0)
    span = {"start": f"{end - timedelta(hours=2):%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"}
    counted = client.get(f"/schedules/{row.id}/backfill/", span)
    assert "Start 3 executions" in counted.content.decode() and not Execution.objects.exists()
    assert client.post(f"/schedules/{row.id}/backfill/", span).status_code == 302
    assert Execution.objects.count() == 3
    assert client.get(f"/schedules/{row.id}/backfill/", {**span, "end": "2999-01-01T00:00"}).status_code == 400
    assert client.get(f"/schedules/{row.id}/backfill/", {"start": "x", "end": ""}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rule": "nonsense"}, "five fields"),
        ({"rule": ""}, "Say when"),
        ({"timezone": "Mars"}, "no time zone"),
        ({"catch_up": "101"}, "100"),
        ({"function": ""}, "Choose a function"),
        ({"input": "{"}, "JSON"),
        ({"attributes": "x"}, "x"),
        ({"name": ""}, "Name the schedule"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(client: Client, changes: dict[str, str], words: str) -> None:
    answer = client.post("/schedules/new/", {**BODY, **changes})
    assert answer.status_code in (400, 422) and words in answer.content.decode()
    assert not Schedule.objects.exists()


def test_the_next_ten_are_shown_while_one_types(client: Client) -> None:
    shown = client.get("/schedules/preview/", {"rule": "0 9 * * 1", "timezone": "Asia/Tokyo"}, headers={"HX-Request": "true"})
    assert shown.content.decode().count("09:00:00 JST") == 10
    wrong = client.get("/schedules/preview/", {"rule": "0 9"}, headers={"HX-Request": "true"})
    assert wrong.status_code == 200 and "five fields" in wrong.content.decode()


def test_who_may_not(client: Client) -> None:
    row = make(client)
    viewer, stranger = Client(), Client()
    viewer.force_login(make_user("viewer"))
    stranger.force_login(make_limited("operator", "order-*"))
    assert "Fire now" not in viewer.get(f"/schedules/{row.id}/").content.decode()
    assert viewer.post(f"/schedules/{row.id}/trigger/").status_code == 403
    assert viewer.post("/functions/echo/limits/", {"concurrency": "1"}).status_code == 403
    assert stranger.get(f"/schedules/{row.id}/").status_code == 404
    assert stranger.post(f"/schedules/{row.id}/trigger/").status_code == 404
    assert stranger.get("/functions/echo/limits/").status_code == 404
    assert "nightly" not in stranger.get("/schedules/").content.decode()


def test_limits_are_changed_with_a_reason(client: Client) -> None:
    page = "/functions/echo/limits/"
    assert client.get(page).status_code == 200
    body = {"concurrency": "5", "per_key": "", "starts": "10", "seconds": "60", "burst": "2", "priority": "0", "revision": "0"}
    assert client.post(page, body).status_code == 422 and not Limit.objects.exists()
    assert client.post(page, {**body, "reason": "slow printer"}).status_code == 302
    assert client.post(page, {**body, "reason": "again"}).status_code == 412
    assert client.post(page, {**body, "revision": "1", "concurrency": "0", "reason": "none"}).status_code == 422
    shown = client.get("/functions/echo/").content.decode()
    assert "0 of 5" in shown and "10 per 60 s" in shown
    entry = AuditEntry.objects.get(action="limits.change")
    assert (entry.reason, entry.facts["before"]["concurrency"], entry.facts["after"]["concurrency"]) == ("slow printer", None, 5)


def test_lists_and_pages_ask_no_more_than_they_must(client: Client, django_assert_max_num_queries: Any) -> None:
    row = make(client)
    for path, most in (("/schedules/", 6), (f"/schedules/{row.id}/", 6)):
        client.get(path)
        with django_assert_max_num_queries(most):
            client.get(path)


def test_the_start_form_takes_a_key_and_a_priority(client: Client) -> None:
    body = {"function": "echo", "input": "{}", "concurrency_key": "customer-42", "priority": "60"}
    assert client.post("/executions/start/", body).status_code == 302
    row = Execution.objects.get()
    assert row.concurrency_key == "customer-42" and row.due_at == row.started_at - timedelta(seconds=60)
    assert client.post("/executions/start/", {**body, "priority": "9999"}).status_code == 422


def test_masked_fields_are_neither_shown_nor_lost(client: Client) -> None:
    """An operator lacks the right to see what is masked: he changes the rest, and cannot carry it to another function."""
    row = make(client, input='{"iban": "DE00", "n": 1}', attributes="iban=DE00, team=ops")
    register_function("other")
    Protection.objects.create(pattern="echo", masked=["iban"])
    for address in ("", "edit/"):
        assert "DE00" not in client.get(f"/schedules/{row.id}/{address}").content.decode()
    body = {**BODY, "catch_up": "7", "revision": "1", "input": "", "attributes": ""}
    assert client.post(f"/schedules/{row.id}/edit/", body).status_code == 302
    changed = Schedule.objects.get()
    assert (changed.catch_up, changed.input, changed.attributes) == (7, row.input, row.attributes)
    assert client.post(f"/schedules/{row.id}/edit/", {**body, "function": "other", "revision": "2"}).status_code == 400
    assert Schedule.objects.get().function == "echo"
