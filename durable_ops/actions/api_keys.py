"""Make, find and revoke the keys of programs."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import ApiKey, Right
from execution_engine.core.errors import CommandError, InvalidInputError

SCHEME = "dop"
MAX_NAME_LENGTH = 100
# `last_used_at` answers "is this key still in use?"; a row update per call would cost more than the call itself.
LAST_USED_EXACT_TO = timedelta(minutes=1)


class KeyNotFoundError(CommandError):
    code = "key_not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is the whole key; it is nowhere stored and cannot be shown again."""

    key: ApiKey
    secret: str


def create_key(actor: Actor, *, user: Any, name: str, expires_at: datetime | None = None) -> NewKey:
    """Makes a key that acts as `user`. People make their own; those of others need the right to manage keys.

    Raises PermissionDenied, InvalidInputError (name empty or above 100 characters).
    """
    if actor.user != user:
        actor.require(Right.MANAGE_KEYS)
    if not name.strip() or len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"A key needs a name of 1 to {MAX_NAME_LENGTH} characters.", field="name", limit=MAX_NAME_LENGTH)
    prefix = secrets.token_hex(4)
    secret = f"{SCHEME}_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        key = ApiKey.objects.create(prefix=prefix, digest=digest(secret), name=name.strip(), user=user, expires_at=expires_at)
        log.append(actor, _act("api_key.create", key))
    return NewKey(key, secret)


def revoke_key(actor: Actor, key_id: int) -> None:
    """Ends a key at once and for good; revoking again changes nothing. Raises PermissionDenied, KeyNotFoundError."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update(of=("self",)).select_related("user").filter(pk=key_id).first()
        if key is None:
            actor.require(Right.MANAGE_KEYS)
            raise KeyNotFoundError("There is no such key.", key_id=key_id)
        if actor.user != key.user:
            actor.require(Right.MANAGE_KEYS)
        if key.revoked_at is None:
            ApiKey.objects.filter(pk=key.pk).update(revoked_at=Now())
            log.append(actor, _act("api_key.revoke", key))


def find_key(secret: str) -> ApiKey | None:
    """The live key with its user, or None: unknown, revoked, expired, or of a person who may no longer sign in."""
    scheme, _, rest = secret.partition("_")
    prefix, _, _ = rest.partition("_")
    if scheme != SCHEME or not prefix.isalnum() or not prefix.isascii():
        return None
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    key = ApiKey.objects.filter(alive, prefix=prefix, revoked_at__isnull=True, user__is_active=True).select_related("user").first()
    if key is None or not hmac.compare_digest(key.digest, digest(secret)):
        return None
    return key


def note_use(key: ApiKey) -> None:
    """Sets `last_used_at` when it is older than a minute."""
    stale = Coalesce(F("last_used_at"), F("created_at") - timedelta(days=1))
    ApiKey.objects.alias(seen=stale).filter(pk=key.pk, seen__lt=Now() - LAST_USED_EXACT_TO).update(last_used_at=Now())


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _act(action: str, key: ApiKey) -> log.Act:
    facts = {"name": key.name, "user": key.user.get_username(), "expires_at": key.expires_at and key.expires_at.isoformat()}
    return log.Act(action, "api_key", key.prefix, facts=facts)
