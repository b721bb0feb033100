"""Roles: Django groups that hold rights of this app, for all functions or for some."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from durable_ops.actions.actor import Actor
from durable_ops.actions.giving import difference, held_by_role, require_all
from durable_ops.actions.patterns import check_patterns
from durable_ops.audit import log
from durable_ops.models import FunctionPattern, Right
from durable_ops.roles import ADMINISTRATOR, ROLES
from execution_engine.core.errors import CommandError, InvalidInputError

MAX_NAME_LENGTH = 150
MAX_PATTERNS = 200


class RoleNotFoundError(CommandError):
    code = "role_not_found"
    status = 404


class RoleTakenError(CommandError):
    """A group with this name exists already, perhaps for another purpose."""

    code = "role_taken"
    status = 409


def role_groups() -> QuerySet[Group]:
    """The four roles of every installation, then every other group that holds a right of this app or names functions."""
    ours = Permission.objects.filter(content_type__app_label="durable_ops").values("pk")
    return Group.objects.filter(Q(name__in=ROLES) | Q(permissions__in=ours) | Q(function_patterns__isnull=False)).distinct()


def add_role(actor: Actor, *, name: str, rights: Collection[str], functions: Collection[str], reason: str) -> Group:
    """A role with these rights on these functions (names or patterns), on all when there are none.

    Raises PermissionDenied, RightNotHeldError, InvalidInputError (name, rights, functions), RoleTakenError.
    """
    actor.require(Right.MANAGE_PEOPLE)
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME_LENGTH or "\x00" in name:
        raise InvalidInputError(f"A role needs a name of 1 to {MAX_NAME_LENGTH} characters.", field="name", limit=MAX_NAME_LENGTH)
    _check(rights, functions)
    with transaction.atomic():
        try:
            with transaction.atomic():
                group = Group.objects.create(name=name)
        except IntegrityError as error:
            raise RoleTakenError("There is a group of this name already.", name=name) from error
        _set(group, rights, functions)
        require_all(actor, held_by_role(group))
        _log(actor, "role.add", group, reason, {"after": facts(group)})
    return group


def change_role(actor: Actor, group_id: int, *, rights: Collection[str] | None, functions: Collection[str], reason: str) -> Group:
    """Sets what a role may do (`rights` None: unchanged) and on which functions. Rights of other apps that the group holds stay.

    The rights of the four first roles are fixed, and an administrator's hold for all functions. Writes one audit row, none when nothing
    changes. Raises PermissionDenied, RoleNotFoundError, InvalidInputError, and RightNotHeldError for a right that is given or taken, or
    whose functions change.
    """
    actor.require(Right.MANAGE_PEOPLE)
    with transaction.atomic():
        group = _locked(group_id)
        if group.name in ROLES and rights is not None:
            raise InvalidInputError(f"What the role {group.name!r} may do is fixed: make another role.", field="rights")
        if group.name == ADMINISTRATOR and functions:
            raise InvalidInputError("An administrator's rights hold for all functions: make another role.", field="functions")
        _check(rights, functions)
        before, held = facts(group), held_by_role(group)
        _set(group, rights, functions)
        after = facts(group)
        if after != before:
            require_all(actor, *difference(held, held_by_role(group)))
            _log(actor, "role.change", group, reason, {"before": before, "after": after})
    return group


def remove_role(actor: Actor, group_id: int, *, reason: str) -> None:
    """Removes a role; its members lose its rights at once.

    Raises PermissionDenied, RightNotHeldError, RoleNotFoundError, and InvalidInputError for one of the four first roles.
    """
    actor.require(Right.MANAGE_PEOPLE)
    with transaction.atomic():
        group = _locked(group_id)
        if group.name in ROLES:
            raise InvalidInputError(f"The role {group.name!r} cannot be removed.", field="role")
        require_all(actor, held_by_role(group))
        before = {**facts(group), "members": group.user_set.count()}
        _log(actor, "role.remove", group, reason, {"before": before})
        group.delete()


def facts(group: Group) -> dict[str, Any]:
    """What the audit log says about a role."""
    ours = group.permissions.filter(content_type__app_label="durable_ops", codename__in=list(Right))
    return {
        "rights": sorted(ours.values_list("codename", flat=True)),
        "functions": sorted(group.function_patterns.values_list("pattern", flat=True)),
    }


def _locked(group_id: int) -> Group:
    group = Group.objects.select_for_update().filter(pk__in=role_groups().filter(pk=group_id).values("pk")).first()
    if group is None:
        raise RoleNotFoundError("There is no such role.", role_id=group_id)
    return group


def _check(rights: Collection[str] | None, functions: Collection[str]) -> None:
    unknown = sorted(set(rights or ()) - set(Right))
    if unknown or (rights is not None and not rights):
        words = f"There is no right {unknown[0][:50]!r}." if unknown else "A role needs at least one right."
        raise InvalidInputError(words, field="rights", value=unknown[0][:50] if unknown else None)
    check_patterns(functions, "functions", most=MAX_PATTERNS)


def _set(group: Group, rights: Collection[str] | None, functions: Collection[str]) -> None:
    if rights is not None:
        ours = Permission.objects.filter(content_type__app_label="durable_ops", codename__in=list(Right))
        group.permissions.remove(*ours.exclude(codename__in=rights))
        group.permissions.add(*ours.filter(codename__in=rights))
    group.function_patterns.exclude(pattern__in=functions).delete()
    rows = [FunctionPattern(group=group, pattern=one) for one in sorted(set(functions))]
    FunctionPattern.objects.bulk_create(rows, ignore_conflicts=True)


def _log(actor: Actor, action: str, group: Group, reason: str, more: dict[str, Any]) -> None:
    log.append(actor, log.Act(action, "role", group.name, reason=reason, facts=more))
