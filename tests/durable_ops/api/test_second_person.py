"""Edited redrives of protected functions: one asks, somebody else confirms exactly what was asked."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from durable_ops.actions import api_keys, redrive_requests
from durable_ops.actions.actor import Actor
from durable_ops.approvals import outbox
from durable_ops.models import AuditEntry, MailPreference, Outbox, Protection, RedriveRequest
from execution_engine.models import Execution
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(admin: Door) -> str:
    Protection.objects.create(pattern="ec*", needs_second_person=True)
    path = f"/executions/{admin.start(input=1)['id']}"
    admin.post(f"{path}/stop")
    return path


@pytest.fixture
def boss(admin: Door) -> Door:
    return Door(make_user("administrator", "bernd"))


def ask(admin: Door, path: str) -> str:
    asked = admin.post(f"{path}/redrive-requests", {"reason": "typo", "input": {"a": 2}})
    assert asked.status_code == 201, asked.content
    return f"/redrive-requests/{asked.json()['id']}"


def test_second_person_confirms_what_was_shown(admin: Door, boss: Door, path: str) -> None:
    refusal(admin.post(f"{path}/redrive", {"input": {"a": 2}}), 409, "second_person_needed")
    refusal(admin.post(f"{path}/fork", {"input": {"a": 2}}), 409, "second_person_needed")
    place = ask(admin, path)
    assert Execution.objects.get().status == "STOPPED"
    shown = boss.get(place).json()
    assert (shown["state"], shown["input"], shown["requester"].split()[0]) == ("waiting", {"a": 2}, "anna")
    refusal(boss.post(f"{place}/confirm", {"shown": "0" * 64}), 409, "redrive_request_changed")
    done = boss.post(f"{place}/confirm", {"shown": shown["digest"]}).json()
    assert (done["state"], done["input"], done["decided_by"].split()[0]) == ("confirmed", None, "bernd")
    assert boss.get(path).json()["input"] == {"a": 2}
    refusal(boss.post(f"{place}/confirm", {"shown": shown["digest"]}), 409, "redrive_request_over")
    entry = AuditEntry.objects.get(action="execution.redrive")
    assert (entry.actor.split()[0], entry.facts["asked_by"].split()[0]) == ("bernd", "anna")


def test_never_the_same_person_whatever_the_key(admin: Door, path: str) -> None:
    place = ask(admin, path)
    again = Door(admin.user)  # another key of the same person
    digest = again.get(place).json()["digest"]
    refusal(again.post(f"{place}/confirm", {"shown": digest}), 403, "same_person")
    refusal(again.post(f"{place}/reject", {"comment": "x"}), 403, "same_person")
    assert Execution.objects.get().status == "STOPPED"


def test_nor_another_account_with_the_same_mailbox(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    type(boss.user).objects.update(email="anna@b.example")
    refusal(boss.post(f"{place}/confirm", {"shown": boss.get(place).json()["digest"]}), 403, "same_person")


def test_changed_values_are_not_confirmed(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    digest = boss.get(place).json()["digest"]
    RedriveRequest.objects.update(input='{"a": 3}')
    refusal(boss.post(f"{place}/confirm", {"shown": digest}), 409, "redrive_request_changed")


def test_execution_that_went_on_is_not_redriven(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    admin.post(f"{path}/redrive")
    admin.post(f"{path}/stop")
    refusal(boss.post(f"{place}/confirm", {"shown": boss.get(place).json()["digest"]}), 409, "redrive_request_changed")


def test_it_expires_and_its_values_go(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    RedriveRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    found = boss.get(place).json()
    assert found["state"] == "expired"
    refusal(boss.post(f"{place}/confirm", {"shown": found["digest"]}), 409, "redrive_request_over")
    redrive_requests.forget_old()
    assert RedriveRequest.objects.get().input is None
    ask(admin, path)


def test_reject_and_withdraw(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    refusal(admin.post(f"{path}/redrive-requests", {"reason": "again", "input": 3}), 409, "redrive_request_over")
    assert boss.post(f"{place}/reject", {"comment": "wrong amount"}).json()["state"] == "rejected"
    place = ask(admin, path)
    refusal(boss.post(f"{place}/withdraw"), 403, "permission_denied")
    assert admin.post(f"{place}/withdraw").json()["state"] == "withdrawn"
    assert Execution.objects.get().status == "STOPPED"


def test_who_lost_the_right_has_asked_in_vain(admin: Door, boss: Door, path: str) -> None:
    place = ask(admin, path)
    admin.user.groups.clear()
    refusal(boss.post(f"{place}/confirm", {"shown": boss.get(place).json()["digest"]}), 409, "redrive_request_over")


@pytest.mark.parametrize("codename", ["redrive_execution", "replace_value"])
def test_who_lost_one_of_both_rights_has_asked_in_vain(admin: Door, boss: Door, path: str, codename: str) -> None:
    place = ask(admin, path)
    kept = Permission.objects.filter(content_type__app_label="durable_ops").exclude(codename=codename)
    admin.user.groups.clear()
    admin.user.user_permissions.set(kept)
    refusal(boss.post(f"{place}/confirm", {"shown": boss.get(place).json()["digest"]}), 409, "redrive_request_over")


def test_key_for_other_functions_does_not_see_the_requests_of_its_person(admin: Door, path: str) -> None:
    place = ask(admin, path)
    key = api_keys.create_key(Actor(admin.user), user=admin.user, name="narrow", limits=api_keys.KeyLimits((), ("orders*",)))
    limited = Door(admin.user)
    limited.client = Client(headers={"Authorization": f"Bearer {key.secret}"})
    refusal(limited.get(place), 404, "redrive_request_not_found")
    assert limited.get("/redrive-requests").json()["results"] == []


def test_others_see_nothing_of_it(admin: Door, path: str) -> None:
    place = ask(admin, path)
    operator = Door(make_user("operator"))
    refusal(operator.get(place), 404, "redrive_request_not_found")
    assert operator.get("/redrive-requests").json()["results"] == []


def test_page_confirms(admin: Door, path: str, client: Client) -> None:
    client.force_login(admin.user)
    answer = client.post(f"{path}/redrive/", {"reason": "typo", "input": '{"a": 2}'})
    place = answer.headers["Location"]
    assert place.startswith("/redrive-requests/")
    assert "Somebody else has to confirm it." in client.get(place).content.decode()
    client.force_login(make_user("administrator", "bernd"))
    page = client.get(place).content.decode()
    assert "{&quot;a&quot;:2}" in page or "{&quot;a&quot;: 2}" in page
    digest = RedriveRequest.objects.get().digest
    assert client.post(place, {"decision": "confirm", "shown": "x"}).status_code == 409
    assert client.post(place, {"decision": "reject", "comment": "x" * 1001}).status_code == 400
    assert client.post(place, {"decision": "confirm", "shown": digest, "comment": "a\x00b"}).status_code == 302
    assert Execution.objects.get().redrive_count == 1
    assert RedriveRequest.objects.get().comment == "ab"  # pages read without NUL, which no text of PostgreSQL can hold
    assert "Confirmed by bernd" in client.get(place).content.decode()


@pytest.fixture
def reachable(boss: Door) -> list[str]:
    """Mail addresses of who may confirm and wants to know, while others may not, do not want to, or asked themselves."""
    people = [boss.user, *(make_user(role, role) for role in ("superuser", "operator")), make_user("administrator", "silent")]
    people.append(make_user("administrator", "blind"))
    for user in [*people, *type(boss.user).objects.filter(username="anna")]:
        user.email = f"{user.username}@b.example"
        user.save()
    MailPreference.objects.create(user=people[3], requests=False)
    Protection.objects.create(pattern="echo", masked=["secret"])
    people[4].groups.clear()
    allowed = Permission.objects.filter(content_type__app_label="durable_ops").exclude(codename="view_masked")
    people[4].user_permissions.set(allowed)
    return ["bernd@b.example", "superuser@b.example"]


def test_those_who_could_confirm_are_mailed_without_the_values(admin: Door, path: str, reachable: list[str]) -> None:
    place = ask(admin, path)
    assert outbox.send_due() == len(reachable)
    assert sorted(to for one in mail.outbox for to in one.to) == reachable
    for one in mail.outbox:
        texts = [str(one.body), *(str(content) for content, _ in one.alternatives)]  # type: ignore[attr-defined]
        assert all(f"{place}/" in text and "typo" in text and '"a"' not in text for text in texts)
        assert "\n" not in one.subject


def test_nobody_is_mailed_about_what_is_over(admin: Door, boss: Door, path: str, reachable: list[str]) -> None:
    boss.post(f"{ask(admin, path)}/reject", {"comment": "no"})
    assert outbox.send_due() == 0
    assert set(Outbox.objects.values_list("last_error", flat=True)) == {outbox.NOT_NEEDED}
