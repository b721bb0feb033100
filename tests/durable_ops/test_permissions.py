from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission

from durable_ops.models import Right
from durable_ops.permissions import RightMissingError, has_right, require
from durable_ops.roles import ROLES, install_roles
from tests.durable_ops.people import ROLE_NAMES, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_role_holds_exactly_its_rights(role: str) -> None:
    user = make_user(role)
    expected = frozenset(Right) if role == "superuser" else ROLES.get(role, frozenset())
    assert {right for right in Right if has_right(user, right)} == expected


def test_groups_are_the_roles() -> None:
    install_roles(apps)  # as the migrations do: an earlier test may have emptied every table
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert {p.codename for p in Group.objects.get(name="approver").permissions.all()} == {"view_execution", "decide_callback"}


def test_install_roles_again_keeps_what_an_administrator_added() -> None:
    install_roles(apps)
    group = Group.objects.get(name="viewer")
    group.permissions.add(Permission.objects.get(codename="view_audit"))
    install_roles(apps)
    assert group.permissions.filter(codename="view_audit").exists()


def test_nobody_approves_and_operates_at_once() -> None:
    both = {Right.DECIDE_CALLBACK, Right.STOP_EXECUTION}
    assert [role for role, rights in ROLES.items() if rights >= both] == ["administrator"]


def test_inactive_superuser_has_no_right() -> None:
    user = make_user("superuser")
    user.is_active = False
    assert not has_right(user, Right.VIEW_EXECUTION)


@pytest.mark.parametrize("person", [AnonymousUser(), "nobody"])
def test_require_names_the_missing_right(person: Any) -> None:
    user = make_user(person) if isinstance(person, str) else person
    with pytest.raises(RightMissingError, match="start_execution"):
        require(user, Right.START_EXECUTION)
