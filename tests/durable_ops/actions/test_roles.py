import pytest
from django.contrib.auth.models import Group

from durable_ops.actions import people, roles
from durable_ops.actions.actor import Actor
from durable_ops.actions.roles import RoleNotFoundError, RoleTakenError
from durable_ops.models import AuditEntry, Right
from durable_ops.permissions import RightMissingError, access_of
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
STOPS = ["stop_execution", "view_execution"]


def administrator() -> Actor:
    return Actor(make_user("administrator"))


def test_role_is_made_given_and_counts_for_its_functions() -> None:
    actor, user = administrator(), make_user("nobody")
    roles.add_role(actor, name=" payments ", rights=STOPS, functions=["payments-*"], reason="new team")
    people.change_person(actor, user.pk, roles=["payments"], is_active=True, reason="joined")
    access = access_of(type(user).objects.get(pk=user.pk))
    assert access.may(Right.STOP_EXECUTION, "payments-eu")
    assert not access.may(Right.STOP_EXECUTION, "orders")
    entry = AuditEntry.objects.get(action="role.add")
    assert (entry.object_id, entry.reason) == ("payments", "new team")
    assert entry.facts == {"after": {"rights": STOPS, "functions": ["payments-*"]}}


def test_change_is_audited_with_before_and_after_and_no_change_is_not() -> None:
    actor = administrator()
    group = roles.add_role(actor, name="payments", rights=STOPS, functions=["payments-*"], reason="x")
    roles.change_role(actor, group.pk, rights=["view_execution"], functions=["refund", "payments-*"], reason="less")
    roles.change_role(actor, group.pk, rights=["view_execution"], functions=["payments-*", "refund"], reason="same")
    (entry,) = AuditEntry.objects.filter(action="role.change")
    assert entry.facts["before"] == {"rights": STOPS, "functions": ["payments-*"]}
    assert entry.facts["after"] == {"rights": ["view_execution"], "functions": ["payments-*", "refund"]}


def test_first_roles_keep_their_rights_and_take_functions_but_for_the_administrator() -> None:
    actor = administrator()
    operator, boss = Group.objects.get(name="operator"), Group.objects.get(name="administrator")
    roles.change_role(actor, operator.pk, rights=None, functions=["payments-*"], reason="x")
    assert not access_of(make_user("operator")).has_all(Right.STOP_EXECUTION)
    with pytest.raises(InvalidInputError, match="fixed"):
        roles.change_role(actor, operator.pk, rights=STOPS, functions=[], reason="x")
    with pytest.raises(InvalidInputError, match="all functions"):
        roles.change_role(actor, boss.pk, rights=None, functions=["payments-*"], reason="x")
    with pytest.raises(InvalidInputError, match="cannot be removed"):
        roles.remove_role(actor, boss.pk, reason="x")


def test_removed_role_is_gone_at_once() -> None:
    actor, user = administrator(), make_user("nobody")
    group = roles.add_role(actor, name="payments", rights=STOPS, functions=[], reason="x")
    user.groups.add(group)
    roles.remove_role(actor, group.pk, reason="over")
    assert not access_of(type(user).objects.get(pk=user.pk)).may(Right.STOP_EXECUTION)
    assert AuditEntry.objects.get(action="role.remove").facts["before"]["members"] == 1


@pytest.mark.parametrize(
    ("name", "rights", "functions", "field"),
    [
        ("", STOPS, [], "name"),
        ("x" * 151, STOPS, [], "name"),
        ("x", [], [], "rights"),
        ("x", ["fly"], [], "rights"),
        ("x", STOPS, ["a b"], "functions"),
        ("x", STOPS, ["[a-z]*"], "functions"),
        ("x", STOPS, [f"f{number}" for number in range(201)], "functions"),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, rights: list[str], functions: list[str], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        roles.add_role(administrator(), name=name, rights=rights, functions=functions, reason="x")
    assert refused.value.facts["field"] == field


def test_groups_of_other_apps_are_no_roles() -> None:
    actor, other = administrator(), Group.objects.create(name="accounting")
    assert "accounting" not in roles.role_groups().values_list("name", flat=True)
    with pytest.raises(RoleNotFoundError):
        roles.change_role(actor, other.pk, rights=STOPS, functions=[], reason="x")
    with pytest.raises(RoleTakenError):
        roles.add_role(actor, name="accounting", rights=STOPS, functions=[], reason="x")


def test_only_who_manages_people_changes_roles() -> None:
    with pytest.raises(RightMissingError):
        roles.add_role(Actor(make_user("operator")), name="x", rights=STOPS, functions=[], reason="x")
