"""Keys, people and retention in the console."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from durable_ops.actions import api_keys
from durable_ops.models import ApiKey, AuditEntry
from execution_engine.models import FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.people import make_key, make_user
from tests.factories import ago, make_execution


def test_new_key_is_shown_once_and_works(sign_in: Callable[[str], Client]) -> None:
    client = sign_in("viewer")
    html = client.post("/settings/", {"name": "laptop", "days": "30"}).content.decode()
    found = re.search(r'id="new-key">([^<]+)<', html)
    assert found is not None
    key = api_keys.find_key(found.group(1))
    assert key is not None
    assert (key.name, key.user.username, key.expires_at is not None) == ("laptop", "viewer", True)
    again = client.get("/settings/").content.decode()
    assert ("laptop" in again, found.group(1) in again) == (True, False)


@pytest.mark.parametrize(
    ("fields", "words"), [({"name": ""}, "Name the program"), ({"days": "0"}, "greater than"), ({"days": "x"}, "whole number")]
)
def test_bad_key_is_told(admin: Client, fields: dict[str, str], words: str) -> None:
    answer = admin.post("/settings/", {"name": "n", "days": "", **fields})
    assert (answer.status_code, words in answer.content.decode(), ApiKey.objects.count()) == (422, True, 0)


def test_own_key_is_revoked_by_one_question(sign_in: Callable[[str], Client]) -> None:
    client = sign_in("viewer")
    secret = make_key(get_user_model().objects.get(username="viewer"))
    key = ApiKey.objects.get()
    form = client.get(f"/settings/keys/{key.pk}/revoke/", headers=HTMX).content.decode()
    assert ("Revoke 1 key" in form, "<html" in form) == (True, False)
    assert client.post(f"/settings/keys/{key.pk}/revoke/").status_code == 302
    assert api_keys.find_key(secret) is None
    assert AuditEntry.objects.filter(action="api_key.revoke").count() == 1


def test_keys_of_others_are_for_those_who_manage_keys(sign_in: Callable[[str], Client]) -> None:
    make_key(make_user("operator"), "nightly")
    key = ApiKey.objects.get()
    viewer = sign_in("viewer")
    assert "nightly" not in viewer.get("/settings/?whose=all").content.decode()
    assert viewer.post(f"/settings/keys/{key.pk}/revoke/").status_code == 404
    admin = sign_in("administrator")
    assert ("nightly" in admin.get("/settings/").content.decode(), "nightly" in admin.get("/settings/?whose=all").content.decode()) == (
        False,
        True,
    )
    assert admin.post(f"/settings/keys/{key.pk}/revoke/").status_code == 302


def test_people_are_listed_and_changed(admin: Client) -> None:
    person = make_user("viewer", "ada")
    assert "ada" in admin.get("/settings/people/?q=AD").content.decode()
    answer = admin.post(f"/settings/people/{person.pk}/", {"roles": ["operator"], "is_active": "on", "reason": "new job"})
    assert (answer.status_code, [group.name for group in person.groups.all()]) == (302, ["operator"])


def test_change_needs_a_reason_and_keeps_an_administrator(admin: Client) -> None:
    me = get_user_model().objects.get(username="administrator")
    no_reason = admin.post(f"/settings/people/{me.pk}/", {"roles": ["administrator"], "is_active": "on"})
    assert (no_reason.status_code, "Say why" in no_reason.content.decode()) == (422, True)
    last = admin.post(f"/settings/people/{me.pk}/", {"roles": [], "is_active": "on", "reason": "r"})
    assert (last.status_code, "must stay administrator" in last.content.decode()) == (409, True)
    assert admin.get("/settings/people/0/").status_code == 404


def test_people_are_for_administrators(sign_in: Callable[[str], Client]) -> None:
    client = sign_in("operator")
    assert client.get("/settings/people/").status_code == 403
    assert "/settings/people/" not in client.get("/settings/").content.decode()


def test_dry_run_says_what_would_go_and_removes_nothing(admin: Client, version: FunctionVersion) -> None:
    for days in (1, 40, 50):
        make_execution(version, status="SUCCEEDED", started_at=ago(days=days), ended_at=ago(days=days), retention_days=90)
    html = admin.get("/settings/retention/?function=expense-approval&days=30").content.decode()
    assert ("2 executions" in html, "Duration.from_days(30)" in html) == (True, True)
    part = admin.get("/settings/retention/?function=expense-approval&days=0", headers=HTMX).content.decode()
    assert "greater than or equal to 1" in part
