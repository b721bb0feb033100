from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor, Channel
from durable_ops.actions.api_keys import KeyEndedError, KeyLimits, KeyNotFoundError
from durable_ops.models import ApiKey, AuditEntry, Right
from durable_ops.permissions import RightMissingError, has_right
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.people import make_group, make_limited, make_user

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
    expired = api_keys.create_key(COMMAND, user=user, name="old")
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
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
        with pytest.raises(KeyNotFoundError):
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


def test_limits_count_wherever_the_person_is_asked_about() -> None:
    user = make_user("operator")
    limits = KeyLimits(["start_execution", "view_execution"], ["payments-*"])
    new = api_keys.create_key(Actor(user), user=user, name="payments", limits=limits)
    found = api_keys.find_key(new.secret)
    assert found is not None
    assert {right for right in Right if has_right(found.user, right)} == {Right.START_EXECUTION, Right.VIEW_EXECUTION}
    assert not Actor(found.user, key=found).may(Right.START_EXECUTION, "orders")
    assert AuditEntry.objects.get().facts["scopes"] == ["start_execution", "view_execution"]


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (KeyLimits(["fly"]), "scopes"),
        (KeyLimits(["delete_execution"]), "scopes"),
        (KeyLimits(functions=["payments/*"]), "functions"),
        (KeyLimits(functions=[""]), "functions"),
        (KeyLimits(functions=[f"f{number}" for number in range(51)]), "functions"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: KeyLimits, field: str) -> None:
    user = make_user("operator")
    with pytest.raises(InvalidInputError) as refused:
        api_keys.create_key(Actor(user), user=user, name="x", limits=limits)
    assert refused.value.facts["field"] == field
    assert ApiKey.objects.count() == 0


def test_key_makes_no_better_key() -> None:
    user = make_user("operator")
    ends = timezone.now() + timedelta(days=1)
    limits = KeyLimits(["start_execution"], ["payments-*"])
    key = api_keys.create_key(Actor(user), user=user, name="small", limits=limits, expires_at=ends).key
    for better in (KeyLimits(), KeyLimits(["start_execution"]), KeyLimits(["stop_execution"], ["payments-*"])):
        with pytest.raises(RightMissingError):
            api_keys.create_key(Actor(user, key=key), user=user, name="better", limits=better)
    same = api_keys.create_key(Actor(user, key=key), user=user, name="same", limits=limits)
    assert same.key.expires_at == ends


def test_whoever_manages_keys_makes_none_that_may_do_more_than_they() -> None:
    group = make_group("viewer")
    group.permissions.add(Permission.objects.get(codename="manage_keys"))
    manager = make_user("nobody", "manager")
    manager.groups.add(group)
    with pytest.raises(RightMissingError):
        api_keys.create_key(Actor(manager), user=make_user("administrator"), name="crown")
    with pytest.raises(RightMissingError):
        api_keys.create_key(Actor(make_limited("administrator", "payments-*")), user=make_user("viewer"), name="wider")
    assert api_keys.create_key(Actor(manager), user=make_user("viewer", "vera"), name="fine").key.user.username == "vera"


def test_rotation_leaves_the_old_key_for_a_while() -> None:
    user = make_user("operator")
    limits = KeyLimits(["start_execution"], ["payments-*"])
    old = api_keys.create_key(Actor(user), user=user, name="job", limits=limits, for_aws=True)
    new = api_keys.rotate_key(Actor(user, key=old.key), old.key.pk, overlap_hours=2)
    assert (new.key.name, new.key.scopes, new.key.functions, new.key.replaces) == ("job", ["start_execution"], ["payments-*"], old.key)
    assert api_keys.find_signing_key(new.access_key_id) == (new.key, new.secret)
    assert api_keys.find_key(old.secret) == old.key
    assert api_keys.find_key(new.secret) == new.key
    old.key.refresh_from_db()
    assert timedelta(minutes=119) < old.key.expires_at - timezone.now() < timedelta(minutes=121)
    ApiKey.objects.filter(pk=old.key.pk).update(expires_at=timezone.now())
    assert api_keys.find_key(old.secret) is None
    with pytest.raises(KeyEndedError):
        api_keys.rotate_key(Actor(user), old.key.pk)
    assert AuditEntry.objects.filter(action="api_key.rotate").get().facts["replaced"] == old.key.prefix


@pytest.mark.parametrize("hours", [-1, 721])
def test_overlap_bounds(hours: int) -> None:
    user = make_user("operator")
    key = api_keys.create_key(Actor(user), user=user, name="job").key
    with pytest.raises(InvalidInputError, match="720"):
        api_keys.rotate_key(Actor(user), key.pk, overlap_hours=hours)


def test_key_for_aws_is_kept_encrypted() -> None:
    user = make_user("operator")
    new = api_keys.create_key(Actor(user), user=user, name="sdk", for_aws=True)
    plain = api_keys.create_key(Actor(user), user=user, name="rest")
    assert new.secret not in ApiKey.objects.get(pk=new.key.pk).signing_secret
    assert api_keys.find_signing_key(new.access_key_id) == (new.key, new.secret)
    assert api_keys.find_signing_key(plain.access_key_id) is None
