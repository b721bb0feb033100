"""Roles are given and taken through the corridor, and somebody can always undo it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from durable_ops.actions.actor import Actor
from durable_ops.actions.people import LastAdministratorError, PersonNotFoundError, change_person
from durable_ops.models import AuditEntry
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


def change(actor: Any, person: Any, *roles: str, is_active: bool = True) -> None:
    change_person(Actor(actor), person.pk, roles=roles, is_active=is_active, reason="moved on")


def roles_of(person: Any) -> set[str]:
    return set(person.groups.values_list("name", flat=True))


def test_roles_are_set_and_other_groups_stay() -> None:
    admin, person = make_user("administrator"), make_user("viewer", "ada")
    person.groups.add(Group.objects.get_or_create(name="finance")[0])
    change(admin, person, "operator")
    assert roles_of(person) == {"operator", "finance"}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.reason) == ("person.change", "ada", "moved on")
    assert (entry.facts["before"]["roles"], entry.facts["after"]["roles"]) == (["viewer"], ["operator"])


def test_person_is_kept_out_and_let_in() -> None:
    admin, person = make_user("administrator"), make_user("viewer")
    change(admin, person, "viewer", is_active=False)
    assert not get_user_model().objects.get(pk=person.pk).is_active
    change(admin, person, "viewer")
    assert get_user_model().objects.get(pk=person.pk).is_active


def test_nothing_changed_is_no_audit_row() -> None:
    admin, person = make_user("administrator"), make_user("viewer")
    change(admin, person, "viewer")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("roles", "is_active"), [(["viewer"], True), (["administrator"], False)])
def test_last_administrator_stays(roles: list[str], is_active: bool) -> None:
    admin = make_user("administrator")
    with pytest.raises(LastAdministratorError):
        change(admin, admin, *roles, is_active=is_active)
    assert (roles_of(admin), AuditEntry.objects.exists()) == ({"administrator"}, False)
    assert get_user_model().objects.get(pk=admin.pk).is_active


def test_administrator_leaves_when_another_is_there() -> None:
    admin = make_user("administrator")
    make_user("administrator", "second")
    change(admin, admin, "viewer")
    assert roles_of(admin) == {"viewer"}


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "nobody"])
def test_only_administrators_change_people(role: str) -> None:
    person = make_user(role)
    with pytest.raises(PermissionDenied):
        change(person, person, "administrator")


def test_unknown_role_and_person_are_refused() -> None:
    admin = make_user("administrator")
    with pytest.raises(InvalidInputError):
        change(admin, admin, "king")
    with pytest.raises(PersonNotFoundError):
        change_person(Actor(admin), 0, roles=[], is_active=True, reason="r")
