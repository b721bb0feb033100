"""Roles of people, and who may sign in."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q

from durable_ops.actions.actor import Actor
from durable_ops.actions.giving import Holding, held_by_person, held_by_role, require_all
from durable_ops.actions.roles import role_groups
from durable_ops.audit import log
from durable_ops.models import Right
from durable_ops.roles import ADMINISTRATOR
from execution_engine.core.errors import CommandError, InvalidInputError


class PersonNotFoundError(CommandError):
    code = "person_not_found"
    status = 404


class LastAdministratorError(CommandError):
    """Refused because nobody who could undo the change would be left."""

    code = "last_administrator"
    status = 409


def change_person(actor: Actor, user_id: int, *, roles: Collection[str], is_active: bool, reason: str) -> None:
    """Sets which roles a person holds and whether they may sign in. Groups without a right of this app stay as they are.

    Writes one audit row, none when nothing changes. Raises PermissionDenied, PersonNotFoundError, InvalidInputError for an unknown role,
    RightNotHeldError for a role that is given or taken or a person who is let in (only superusers keep superusers out), and
    LastAdministratorError when nobody active would be left to manage people.
    """
    actor.require(Right.MANAGE_PEOPLE)
    known = set(role_groups().values_list("name", flat=True))
    if unknown := sorted(set(roles) - known):
        raise InvalidInputError(f"There is no role {unknown[0]!r}.", field="roles", value=unknown[0])
    with transaction.atomic():
        # All administrators, in one order: two who take the role from each other must not both succeed.
        list(get_user_model().objects.select_for_update().filter(_administrators() | Q(pk=user_id)).order_by("pk").values_list("pk"))
        person = get_user_model().objects.filter(pk=user_id).first()
        if person is None:
            raise PersonNotFoundError("There is no such person.", user_id=user_id)
        before = _facts(person, known)
        require_all(actor, *_changing_hands(person, set(before["roles"]) ^ set(roles), is_active=is_active))
        with administrator_stays():
            person.groups.remove(*Group.objects.filter(name__in=known - set(roles)))
            person.groups.add(*Group.objects.filter(name__in=roles))
            person.is_active = is_active
            person.save(update_fields=["is_active"])
        after = _facts(person, known)
        if after != before:
            facts = {"person": person.get_username(), "before": before, "after": after}
            log.append(actor, log.Act("person.change", "person", person.get_username(), reason=reason, facts=facts))


@contextmanager
def administrator_stays() -> Iterator[None]:
    """For the transaction around a change of people or groups. Raises LastAdministratorError when nobody is left who could undo it."""
    active = get_user_model().objects.filter(_administrators(), is_active=True)
    was_there = active.exists()
    yield
    if was_there and not active.all().exists():
        raise LastAdministratorError("Somebody who is active must stay administrator.")


def _changing_hands(person: Any, roles: Collection[str], *, is_active: bool) -> list[Holding]:
    """What changes hands: letting somebody in gives all they hold; keeping them out takes it, which anybody who manages people may."""
    found = [held_by_role(group) for group in Group.objects.filter(name__in=roles)]
    if is_active != person.is_active and (is_active or person.is_superuser):
        found.append(held_by_person(person))
    return found


def _administrators() -> Q:
    return Q(is_superuser=True) | Q(pk__in=Group.objects.filter(name=ADMINISTRATOR).values("user"))


def _facts(person: Any, known: Collection[str]) -> dict[str, Any]:
    held = person.groups.filter(name__in=known).order_by("name").values_list("name", flat=True)
    return {"roles": list(held), "is_active": person.is_active}
