"""People and keys for tests of the corridor and its doors."""

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import FunctionPattern
from durable_ops.roles import ROLES, install_roles

ROLE_NAMES = [*ROLES, "superuser", "nobody"]


def make_user(role: str, username: str | None = None) -> Any:
    """A person of a role of `durable_ops.permissions.ROLES`, or "superuser", or "nobody" (signed in, no group)."""
    if Group.objects.filter(name__in=ROLES).count() < len(ROLES):
        install_roles(apps)  # a test with transaction=True has emptied the tables of groups as well
    name = username or role
    users = get_user_model().objects
    if role == "superuser":
        return users.create_superuser(name, password="secret")
    user = users.create_user(name, password="secret")
    if role in ROLES:
        user.groups.add(Group.objects.get(name=role))
    return user


def make_key(user: Any, name: str = "tests") -> str:
    """A whole API key of this person."""
    return api_keys.create_key(Actor(user=user, channel=Channel.COMMAND), user=user, name=name).secret


def bearer(user: Any) -> dict[str, str]:
    """Headers for django.test.Client: `client.get(url, headers=bearer(user))`."""
    return {"Authorization": f"Bearer {make_key(user)}"}


def make_limited(role: str, *patterns: str, username: str | None = None) -> Any:
    """A person with the rights of a role, on the functions of these patterns alone."""
    user = make_user("nobody", username or f"{role}-{'-'.join(patterns)}"[:150])
    user.groups.add(make_group(role, *patterns))
    return user


def make_group(role: str, *patterns: str) -> Group:
    """A group with the rights of a role, limited to these patterns when there are any."""
    group, _ = Group.objects.get_or_create(name=f"{role} of {', '.join(patterns)}"[:150])
    codenames = [right.value for right in ROLES[role]]
    group.permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="durable_ops"))
    for pattern in patterns:
        FunctionPattern.objects.get_or_create(group=group, pattern=pattern)
    return group
