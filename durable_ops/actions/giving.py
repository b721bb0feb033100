"""Nobody gives or takes rights that they do not hold themselves: the rule of every door through which rights change.

Superusers and the command line hold everything. What counts is what a person would hold as an active one, from all their groups, with the
functions that each right holds for. Permissions of other apps in the same groups count as well.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group

from durable_ops.actions.actor import Actor, Channel
from durable_ops.permissions import APP, Access, access_of, access_of_role
from execution_engine.core.errors import CommandError


class RightNotHeldError(CommandError):
    """The change would give or take more than the actor holds; `right` is the first right of which that is true."""

    code = "right_not_held"
    status = 403


@dataclass(frozen=True, slots=True)
class Holding:
    """Rights of this app with their functions, and permissions of other apps as "app.codename"."""

    access: Access
    others: frozenset[str] = frozenset()
    is_superuser: bool = False


def held_by_person(user: Any) -> Holding:
    """What a person holds by the database now, or would hold if they were active. Four queries."""
    person = type(user)._default_manager.get(pk=user.pk)
    person.is_active = True
    return Holding(access_of(person), _others(person.get_all_permissions()), person.is_superuser)


def held_by_role(group: Group) -> Holding:
    """What members of a group hold by it. Two queries."""
    names = [f"{app}.{name}" for app, name in group.permissions.values_list("content_type__app_label", "codename")]
    ours = {name.partition(".")[2] for name in names if name.startswith(f"{APP}.")}
    patterns = group.function_patterns.values_list("pattern", flat=True)
    return Holding(access_of_role(ours, list(patterns)), _others(names))


def require_all(actor: Actor, *holdings: Holding) -> None:
    """Raises RightNotHeldError for the first right that the actor lacks, or has for fewer functions."""
    if actor.user is None and actor.channel == Channel.COMMAND:
        return
    if actor.user is not None and actor.user.is_active and actor.user.is_superuser:
        return
    own = frozenset() if actor.user is None else frozenset(actor.user.get_all_permissions())
    for one in holdings:
        missing = actor.access.missing(one.access) or min(one.others - own, default=None)
        if one.is_superuser:
            raise RightNotHeldError("Only a superuser changes what a superuser may do.", right="superuser")
        if missing is not None:
            words = f"You lack the right {str(missing)!r}, or have it for fewer functions: who gives or takes it has to hold it."
            raise RightNotHeldError(words, right=str(missing))


def difference(before: Holding, after: Holding) -> tuple[Holding, Holding]:
    """What a change takes and what it gives. A right whose functions change counts as both."""
    old, new = before.access.scopes, after.access.scopes
    changed = {right for right in {*old, *new} if old.get(right) != new.get(right)}
    taken, given = ({right: scopes[right] for right in changed if right in scopes} for scopes in (old, new))
    is_other = before.is_superuser != after.is_superuser
    return (
        Holding(Access(taken), before.others - after.others, is_other and before.is_superuser),
        Holding(Access(given), after.others - before.others, is_other and after.is_superuser),
    )


def _others(names: Collection[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith(f"{APP}."))
