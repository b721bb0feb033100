from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import ApiKey, AuditEntry
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
COMMAND = Actor(user=None, channel=Channel.COMMAND, address="root")


def test_key_is_found_and_its_secret_is_nowhere_stored() -> None:
    user = make_user("viewer")
    new = api_keys.create_key(COMMAND, user=user, name="billing")
    found = api_keys.find_key(new.secret)
    assert found == new.key
    assert found.user == user
    scheme, prefix, secret = new.secret.split("_", 2)
    assert (scheme, prefix, len(secret)) == ("dop", new.key.prefix, 43)
    row = ApiKey.objects.values().get()
    assert all(secret not in str(value) for value in row.values())
    audit = AuditEntry.objects.get()
    assert (audit.action, audit.object_id, audit.actor) == ("api_key.create", prefix, "system (root)")
    assert secret not in str(audit.facts)


@pytest.mark.parametrize("secret", ["", "dop", "dop_", "dop__", "x_y_z", "dop_\x00_x", "dop_é_x", "dop_00000000_" + "a" * 43, "a" * 9999])
def test_other_texts_are_no_key(secret: str) -> None:
    assert api_keys.find_key(secret) is None


def test_right_prefix_with_another_secret_is_no_key() -> None:
    new = api_keys.create_key(COMMAND, user=make_user("viewer"), name="a")
    assert api_keys.find_key(new.secret[:-1] + ("a" if new.secret[-1] != "a" else "b")) is None


def test_expired_revoked_and_inactive_are_refused_at_once() -> None:
    user = make_user("viewer")
    expired = api_keys.create_key(COMMAND, user=user, name="old", expires_at=timezone.now() - timedelta(seconds=1))
    revoked = api_keys.create_key(COMMAND, user=user, name="gone")
    api_keys.revoke_key(COMMAND, revoked.key.pk)
    assert api_keys.find_key(expired.secret) is None
    assert api_keys.find_key(revoked.secret) is None
    good = api_keys.create_key(COMMAND, user=user, name="good")
    assert api_keys.find_key(good.secret) is not None
    user.is_active = False
    user.save()
    assert api_keys.find_key(good.secret) is None


def test_revoke_twice_is_one_act() -> None:
    new = api_keys.create_key(COMMAND, user=make_user("viewer"), name="a")
    api_keys.revoke_key(COMMAND, new.key.pk)
    first = ApiKey.objects.get().revoked_at
    api_keys.revoke_key(COMMAND, new.key.pk)
    assert ApiKey.objects.get().revoked_at == first
    assert AuditEntry.objects.filter(action="api_key.revoke").count() == 1


def test_people_manage_their_own_keys_only() -> None:
    operator, other = make_user("operator"), make_user("viewer")
    own = api_keys.create_key(Actor(user=operator), user=operator, name="mine")
    api_keys.revoke_key(Actor(user=operator), own.key.pk)
    with pytest.raises(PermissionDenied):
        api_keys.create_key(Actor(user=operator), user=other, name="theirs")
    foreign = api_keys.create_key(Actor(user=make_user("administrator")), user=other, name="theirs")
    for key_id in (foreign.key.pk, 10**9):
        with pytest.raises(PermissionDenied):
            api_keys.revoke_key(Actor(user=operator), key_id)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_name_bounds(name: str) -> None:
    with pytest.raises(InvalidInputError):
        api_keys.create_key(COMMAND, user=make_user("viewer"), name=name)


def test_last_use_is_noted_at_most_once_a_minute(django_assert_num_queries: Any) -> None:
    secret = api_keys.create_key(COMMAND, user=make_user("viewer"), name="a").secret
    api_keys.find_key(secret)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        api_keys.find_key(secret)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    api_keys.find_key(secret)
    assert ApiKey.objects.get().last_used_at > first - timedelta(minutes=1)


def test_refused_key_is_not_noted() -> None:
    secret = api_keys.create_key(COMMAND, user=make_user("viewer"), name="a").secret
    api_keys.find_key(secret[:-4] + "xxxx")
    assert ApiKey.objects.get().last_used_at is None
