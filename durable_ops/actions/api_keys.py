"""Make, find and revoke the keys of programs."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import ApiKey, Right
from durable_ops.secret_text import open_sealed, seal
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
    """`secret` is the whole key; it cannot be shown again, and is stored nowhere but (encrypted) in a key for AWS's signatures."""

    key: ApiKey
    secret: str

    @property
    def access_key_id(self) -> str:
        """AWS's name for the half that is no secret; the whole key is the secret access key."""
        return f"{SCHEME}_{self.key.prefix}"


def create_key(actor: Actor, *, user: Any, name: str, expires_at: datetime | None = None, for_aws: bool = False) -> NewKey:
    """Makes a key that acts as `user`. People make their own; those of others need the right to manage keys.

    `for_aws`: AWS's SDKs can sign with it, so it is kept encrypted beside its digest.

    Raises PermissionDenied, InvalidInputError (name empty or above 100 characters).
    """
    if actor.user != user:
        actor.require(Right.MANAGE_KEYS)
    if not name.strip() or len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"A key needs a name of 1 to {MAX_NAME_LENGTH} characters.", field="name", limit=MAX_NAME_LENGTH)
    prefix = secrets.token_hex(4)
    secret = f"{SCHEME}_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        signing_secret = seal(secret) if for_aws else ""
        key = ApiKey.objects.create(
            prefix=prefix, digest=digest(secret), name=name.strip(), user=user, expires_at=expires_at, signing_secret=signing_secret
        )
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
    """The live key with its user, or None: unknown, revoked, expired, or of a person who may no longer sign in.

    Notes the use when the last noted one is older than a minute: most calls cost one query.
    """
    scheme, _, rest = secret.partition("_")
    prefix, _, _ = rest.partition("_")
    if scheme != SCHEME or not prefix.isalnum() or not prefix.isascii():
        return None
    key = _find_live(prefix)
    if key is None or not hmac.compare_digest(key.digest, digest(secret)):
        return None
    return note_use(key)


def find_signing_key(access_key_id: str) -> tuple[ApiKey, str] | None:
    """The live key that an AWS access key id (`dop_<prefix>`) names, and its secret; None as `find_key`, and for a key that was not
    made for signing. Whoever asks compares the signature, then calls `note_use`.
    """
    scheme, _, prefix = access_key_id.partition("_")
    if scheme != SCHEME or not prefix.isalnum() or not prefix.isascii():
        return None
    key = _find_live(prefix)
    secret = open_sealed(key.signing_secret) if key is not None and key.signing_secret else None
    return None if key is None or secret is None else (key, secret)


def note_use(key: ApiKey) -> ApiKey:
    """A key that proved itself, with its person."""
    if key.is_stale:  # type: ignore[attr-defined]  # annotated by `_find_live`
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - LAST_USED_EXACT_TO)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=Now())
    return key


def _find_live(prefix: str) -> ApiKey | None:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - LAST_USED_EXACT_TO)
    found = ApiKey.objects.filter(alive, prefix=prefix, revoked_at__isnull=True, user__is_active=True)
    key = found.annotate(is_stale=ExpressionWrapper(stale, BooleanField())).select_related("user").first()
    if key is not None:
        key.user.durable_key = key  # whoever asks for this person's rights gets the key's: `permissions.access_of`
    return key


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _act(action: str, key: ApiKey) -> log.Act:
    facts = {"name": key.name, "user": key.user.get_username(), "expires_at": key.expires_at and key.expires_at.isoformat()}
    return log.Act(action, "api_key", key.prefix, facts=facts)
