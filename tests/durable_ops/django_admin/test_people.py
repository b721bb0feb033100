"""People and groups in Django's admin: audited, and no way to more rights."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from durable_ops.models import AuditEntry
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
PEOPLE, GROUPS = "/admin/auth/user/", "/admin/auth/group/"


def door(role: str, *auth: str, username: str = "clerk") -> Client:
    """Of staff with this role and these permissions of Django's own."""
    user = make_user(role, username)
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="auth", codename__in=auth))
    client = Client()
    client.force_login(user)
    return client


def form(user: Any, **changes: Any) -> dict[str, Any]:
    """What the page of a person posts."""
    values = {"username": user.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00", "is_active": user.is_active}
    values |= {"is_staff": user.is_staff, "is_superuser": user.is_superuser}
    values |= {"groups": [group.pk for group in user.groups.all()], **changes}
    return {key: value for key, value in values.items() if value is not False}


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_people_leave_an_audit_row_for_each_change() -> None:
    boss, viewer = door("superuser"), Group.objects.get_or_create(name="viewer")[0]
    password = {"password1": "gr8-Secret-of-mine", "password2": "gr8-Secret-of-mine", "usable_password": "true"}
    assert boss.post(f"{PEOPLE}add/", {"username": "ada", **password}).status_code == 302
    ada = get_user_model().objects.get(username="ada")
    assert boss.post(f"{PEOPLE}{ada.pk}/change/", form(ada, groups=[viewer.pk], email="a@b.example")).status_code == 302
    assert boss.post(f"{PEOPLE}{ada.pk}/password/", password | {"set-password": "1"}).status_code == 302
    assert boss.post(f"{PEOPLE}{ada.pk}/delete/", {"post": "yes"}).status_code == 302
    assert acts() == ["person.add", "person.change", "person.password", "person.remove"]
    entry = AuditEntry.objects.get(action="person.change")
    assert (entry.actor, entry.channel, entry.object_id) == ("clerk", "admin", "ada")
    assert (entry.facts["before"]["groups"], entry.facts["after"]["groups"]) == ([], ["viewer"])
    assert {"email", "groups"} <= set(entry.facts["fields"])
    assert "gr8" not in str(list(AuditEntry.objects.values()))


def test_groups_leave_an_audit_row_for_each_change() -> None:
    boss = door("superuser")
    right = Permission.objects.get(codename="stop_execution")
    assert boss.post(f"{GROUPS}add/", {"name": "stoppers", "permissions": [right.pk]}).status_code == 302
    group = Group.objects.get(name="stoppers")
    assert boss.post(f"{GROUPS}{group.pk}/change/", {"name": "stoppers"}).status_code == 302
    assert boss.post(GROUPS, {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}).status_code == 302
    assert acts() == ["role.add", "role.change", "role.remove"]
    assert AuditEntry.objects.get(action="role.change").facts["before"]["rights"] == ["stop_execution"]


@pytest.mark.parametrize("change", ["superuser", "group", "permission"])
def test_staff_who_may_change_people_gain_nothing_by_it(change: str) -> None:
    client = door("viewer", "view_user", "change_user")
    me = get_user_model().objects.get(username="clerk")
    administrators = Group.objects.get(name="administrator")
    wanted: dict[str, Any] = {
        "superuser": {"is_superuser": "on"},
        "group": {"groups": [administrators.pk]},
        "permission": {"user_permissions": [Permission.objects.get(codename="delete_execution", content_type__app_label="durable_ops").pk]},
    }[change]
    assert client.post(f"{PEOPLE}{me.pk}/change/", form(me, **wanted)).status_code == 403
    me.refresh_from_db()
    assert (me.is_superuser, [group.name for group in me.groups.all()]) == (False, ["viewer"])
    assert not me.user_permissions.filter(codename="delete_execution", content_type__app_label="durable_ops").exists()
    assert (acts(), LogEntry.objects.count()) == (["attempt.refused"], 0)


@pytest.mark.parametrize("role", ["superuser", "administrator", "operator"])
def test_nobody_becomes_somebody_with_more_rights(role: str) -> None:
    """By a password or an address that mailed links go to."""
    make_user("superuser", "root")
    other, client = make_user(role, "other"), door("viewer", "view_user", "change_user", "delete_user")
    password = {"password1": "gr8-Secret-of-mine", "password2": "gr8-Secret-of-mine", "usable_password": "true", "set-password": "1"}
    assert client.post(f"{PEOPLE}{other.pk}/password/", password).status_code == 403
    assert client.post(f"{PEOPLE}{other.pk}/change/", form(other, email="clerk@b.example")).status_code == 403
    assert client.post(f"{PEOPLE}{other.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(PEOPLE, {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    fresh = get_user_model().objects.get(pk=other.pk)
    assert (fresh.check_password("secret"), fresh.email) == (True, "")
    assert client.get(f"{PEOPLE}{other.pk}/change/").status_code == 200


def test_groups_are_edited_within_ones_own_rights() -> None:
    client = door("viewer", "view_group", "change_group", "add_group", "delete_group")
    operator = Group.objects.get(name="operator")
    right = Permission.objects.get(codename="view_payload")
    assert client.post(f"{GROUPS}{operator.pk}/change/", {"name": "operator"}).status_code == 403
    assert client.post(f"{GROUPS}{operator.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{GROUPS}add/", {"name": "more", "permissions": [right.pk, right.pk + 1]}).status_code == 403
    assert client.post(f"{GROUPS}add/", {"name": "readers", "permissions": [right.pk]}).status_code == 302
    assert set(Group.objects.values_list("name", flat=True)) & {"more", "readers", "operator"} == {"readers", "operator"}


def test_the_last_administrator_stays() -> None:
    boss = door("administrator", "view_user", "change_user", "delete_user", "change_group", "delete_group")
    me = get_user_model().objects.get(username="clerk")
    assert boss.post(f"{PEOPLE}{me.pk}/change/", form(me, groups=[])).status_code == 403
    assert boss.post(f"{PEOPLE}{me.pk}/delete/", {"post": "yes"}).status_code == 403
    group = Group.objects.get(name="administrator")
    assert boss.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert [group.name for group in me.groups.all()] == ["administrator"]
