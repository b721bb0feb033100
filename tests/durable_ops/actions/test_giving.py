"""Nobody gives, or takes, what they do not hold themselves."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from durable_ops.actions import people, roles
from durable_ops.actions.actor import Actor, Channel
from durable_ops.actions.giving import RightNotHeldError
from durable_ops.models import AuditEntry
from durable_ops.permissions import Scope
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper() -> Any:
    """Manages people and may stop what begins with `pay-`; nothing more."""
    user = make_user("nobody", "keeper")
    user.user_permissions.add(*permissions("manage_people", "view_execution"))
    user.groups.add(limited("stoppers", "stop_execution", "pay-*"))
    return user


def permissions(*codenames: str) -> list[Permission]:
    return list(Permission.objects.filter(codename__in=codenames, content_type__app_label="durable_ops"))


def limited(name: str, right: str, *patterns: str) -> Group:
    group = Group.objects.create(name=name)
    group.permissions.add(*permissions(right))
    for pattern in patterns:
        group.function_patterns.create(pattern=pattern)  # type: ignore[attr-defined]
    return group


def give(actor: Any, person: Any, *names: str, is_active: bool = True) -> None:
    people.change_person(Actor(actor), person.pk, roles=names, is_active=is_active, reason="x")


@pytest.mark.parametrize("role", ["administrator", "operator", "viewer"])
def test_nobody_gives_themselves_or_others_a_role_beyond_their_own(keeper: Any, role: str) -> None:
    for person in (keeper, make_user("nobody", "friend")):
        held = set(person.groups.values_list("name", flat=True))
        with pytest.raises(RightNotHeldError):
            give(keeper, person, *held, role)
        assert set(person.groups.values_list("name", flat=True)) == held
    assert not AuditEntry.objects.exists()


def test_nobody_takes_a_role_that_they_do_not_hold(keeper: Any) -> None:
    make_user("administrator", "boss")
    with pytest.raises(RightNotHeldError):
        give(keeper, make_user("operator"))


@pytest.mark.parametrize(
    ("rights", "functions", "refused"),
    [
        (["stop_execution"], ["pay-eu", "pay-u*"], False),
        (["stop_execution"], ["pay-*"], False),
        (["view_execution"], ["orders"], False),
        (["stop_execution"], ["pay-eu", "orders"], True),
        (["stop_execution"], ["*"], True),
        (["stop_execution"], [], True),
        (["view_payload"], ["pay-*"], True),
    ],
)
def test_a_new_role_has_what_its_maker_has_or_less(keeper: Any, rights: list[str], functions: list[str], refused: bool) -> None:
    def add() -> None:
        roles.add_role(Actor(keeper), name="new", rights=rights, functions=functions, reason="x")

    if not refused:
        add()
        return
    with pytest.raises(RightNotHeldError):
        add()
    assert not Group.objects.filter(name="new").exists()


def test_a_role_is_edited_by_who_holds_what_changes(keeper: Any) -> None:
    group = limited("payers", "stop_execution", "pay-*")
    group.permissions.add(*permissions("view_payload"))
    both = ["stop_execution", "view_payload"]
    for rights, functions in (([*both, "delete_execution"], ["pay-*"]), (["stop_execution"], ["pay-*"]), (both, []), (both, ["pay-eu"])):
        with pytest.raises(RightNotHeldError):  # given, taken, widened, narrowed
            roles.change_role(Actor(keeper), group.pk, rights=rights, functions=functions, reason="x")
    with pytest.raises(RightNotHeldError):
        roles.remove_role(Actor(keeper), group.pk, reason="x")
    roles.change_role(Actor(keeper), group.pk, rights=["view_payload"], functions=["pay-*"], reason="x")
    assert roles.facts(group) == {"rights": ["view_payload"], "functions": ["pay-*"]}


def test_permissions_of_other_apps_in_a_role_count(keeper: Any) -> None:
    group = limited("seers", "view_execution")
    group.permissions.add(Permission.objects.get(codename="change_user", content_type__app_label="auth"))
    with pytest.raises(RightNotHeldError) as refused:
        give(keeper, keeper, "stoppers", "seers")
    assert refused.value.facts["right"] == "auth.change_user"


def test_to_let_somebody_in_is_to_give_and_to_keep_them_out_is_not(keeper: Any) -> None:
    make_user("administrator", "boss")
    person = make_user("operator")
    give(keeper, person, "operator", is_active=False)
    with pytest.raises(RightNotHeldError):
        give(keeper, person, "operator")
    with pytest.raises(RightNotHeldError):
        give(make_user("administrator", "second"), make_user("superuser"), is_active=False)


def test_superusers_and_the_command_line_hold_everything() -> None:
    person = make_user("nobody")
    give(make_user("superuser"), person, "administrator")
    people.change_person(Actor(None, channel=Channel.COMMAND), person.pk, roles=["viewer"], is_active=True, reason="x")
    assert [group.name for group in person.groups.all()] == ["viewer"]


@pytest.mark.parametrize(
    ("own", "other", "includes"),
    [
        (["*"], ["a?"], True),
        (["a?"], ["ab"], True),
        (["a?"], ["a*"], False),
        (["a*"], ["a?", "ab*"], True),
        (["a*"], ["b*"], False),
    ],
)
def test_scope_includes_what_it_surely_covers(own: list[str], other: list[str], includes: bool) -> None:
    assert Scope((frozenset(own),)).includes(Scope((frozenset(other),))) is includes
    assert Scope().includes(Scope((frozenset(other),)))
    assert not Scope((frozenset(own),)).includes(Scope())
    assert Scope((frozenset(own),)).includes(Scope((frozenset(own), frozenset(other))))
