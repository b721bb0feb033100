"""Makes, finds, rotates and revokes the keys of programs.

Why not djangorestframework-api-key: its keys belong to no person, so their rights would stand beside the one corridor of rights. It has no
scopes, no rotation and no last use, and it stores a slow password hash that every call would have to compute. What it would save is
`secrets.token_urlsafe` and `hmac.compare_digest`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from durable_ops.actions.actor import Actor
from durable_ops.actions.patterns import check_patterns
from durable_ops.actions.rows import the_one
from durable_ops.audit import log
from durable_ops.models import ApiKey, Right
from durable_ops.permissions import Access, RightMissingError, access_of
from durable_ops.texts.secret_text import open_sealed, seal
from execution_engine.core.errors import CommandError, InvalidInputError

SCHEME = "dop"
MAX_NAME_LENGTH = 100
MAX_PATTERNS = 50
DEFAULT_OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 720
# `last_used_at` answers "is this key still in use?"; a row update per call would cost more than the call itself.
LAST_USED_EXACT_TO = timedelta(minutes=1)
_STALE = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - LAST_USED_EXACT_TO)


class KeyNotFoundError(CommandError):
    code = "key_not_found"
    status = 404


class KeyEndedError(CommandError):
    code = "key_ended"
    status = 409


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is the whole key. It is not stored anywhere and cannot be shown again."""

    key: ApiKey
    secret: str

    @property
    def access_key_id(self) -> str:
        """The id that AWS's clients use for the key; the whole key is their secret access key."""
        return f"{SCHEME}_{self.key.prefix}"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a key may do of all that its person may: `scopes` are rights, `functions` are names or patterns. Empty means no limit."""

    scopes: Collection[str] = ()
    functions: Collection[str] = ()


NO_LIMITS = KeyLimits()


def create_key(
    actor: Actor, *, user: Any, name: str, expires_at: datetime | None = None, limits: KeyLimits = NO_LIMITS, for_aws: bool = False
) -> NewKey:
    """Makes a key that acts as `user`, within `limits`. People make keys for themselves; keys for others need the right to manage keys.

    Nobody can make a key that may do more than they may; a key can only make keys that may do no more and live no longer than itself. With
    `for_aws` the new key also signs requests as AWS's clients do. Raises PermissionDenied, and InvalidInputError for the name, a scope that
    is no right or that the person lacks, a pattern, or an end in the past.
    """
    if actor.user != user:
        actor.require(Right.MANAGE_KEYS)
    if not name.strip() or len(name) > MAX_NAME_LENGTH or "\x00" in name:
        raise InvalidInputError(f"A key needs a name of 1 to {MAX_NAME_LENGTH} characters.", field="name", limit=MAX_NAME_LENGTH)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInputError("A key must end in the future.", field="expires_at", value=expires_at.isoformat())
    _check_limits(user, limits)
    expires_at = _no_longer(actor, expires_at)
    with transaction.atomic():
        new = _make(user, name.strip(), expires_at, limits, for_aws=for_aws)
        _require_no_more(actor, new.key)
        log.append(actor, _act("api_key.create", new.key))
    return new


def rotate_key(actor: Actor, key_id: int, *, overlap_hours: int = DEFAULT_OVERLAP_HOURS) -> NewKey:
    """Makes a new key with the old one's name, person, limits and length of life. The old one ends after `overlap_hours` (0 to 720).

    Raises PermissionDenied, KeyNotFoundError, KeyEndedError, InvalidInputError.
    """
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
        words = f"The old key goes on for 0 to {LONGEST_OVERLAP_HOURS} hours, not {overlap_hours}."
        raise InvalidInputError(words, field="overlap_hours", limit=LONGEST_OVERLAP_HOURS)
    overlap = timedelta(hours=overlap_hours)
    with transaction.atomic():
        old = _locked(actor, key_id)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= timezone.now()):
            raise KeyEndedError("This key has ended: make a new one.", key_id=key_id)
        expires_at = old.expires_at and timezone.now() + (old.expires_at - old.created_at)
        limits = KeyLimits(old.scopes, old.functions)
        new = _make(old.user, old.name, _no_longer(actor, expires_at), limits, for_aws=bool(old.signing_secret), replaces=old)
        _require_no_more(actor, new.key)
        ends_at = min(timezone.now() + overlap, old.expires_at or timezone.now() + overlap)
        ApiKey.objects.filter(pk=old.pk).update(expires_at=ends_at)
        log.append(actor, _act("api_key.rotate", new.key, replaced=old.prefix, replaced_ends_at=ends_at.isoformat()))
    return new


def revoke_key(actor: Actor, key_id: int) -> None:
    """Ends a key at once and for good. Revoking it again changes nothing. Raises PermissionDenied, KeyNotFoundError."""
    with transaction.atomic():
        key = _locked(actor, key_id)
        if key.revoked_at is None:
            ApiKey.objects.filter(pk=key.pk).update(revoked_at=Now())
            log.append(actor, _act("api_key.revoke", key))


def visible_keys(access: Access, user: Any) -> QuerySet[ApiKey]:
    """One's own keys, or everybody's with the right to manage keys. A key that is limited sees only itself."""
    found = ApiKey.objects.select_related("user")
    if access.may(Right.MANAGE_KEYS):
        return found
    return found.filter(user_id=user.pk, **({"pk": access.key.pk} if access.key else {}))


def visible_key(access: Access, user: Any, key_id: int) -> ApiKey:
    """One of `visible_keys`. Raises KeyNotFoundError."""
    return _found(visible_keys(access, user), key_id)


def _locked(actor: Actor, key_id: int) -> ApiKey:
    return _found(visible_keys(actor.access, actor.user).select_for_update(of=("self",)), key_id)


def _found(keys: QuerySet[ApiKey], key_id: int) -> ApiKey:
    return the_one(keys.filter(pk=key_id), KeyNotFoundError("There is no such key.", key_id=key_id))


def _make(user: Any, name: str, expires_at: datetime | None, limits: KeyLimits, *, for_aws: bool, replaces: ApiKey | None = None) -> NewKey:
    prefix = secrets.token_hex(4)
    secret = f"{SCHEME}_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        prefix=prefix,
        digest=digest(secret),
        name=name,
        user=user,
        expires_at=expires_at,
        scopes=sorted(set(limits.scopes)),
        functions=sorted(set(limits.functions)),
        signing_secret=seal(secret) if for_aws else "",
        replaces=replaces,
    )
    return NewKey(key, secret)


def _check_limits(user: Any, limits: KeyLimits) -> None:
    for scope in limits.scopes:
        if scope not in set(Right):
            raise InvalidInputError(f"There is no right {scope[:50]!r}.", field="scopes", value=scope[:50])
        if not access_of(user).may(Right(scope)):
            raise InvalidInputError(f"{user.get_username()} lacks the right {scope!r}.", field="scopes", value=scope)
    check_patterns(limits.functions, "functions", most=MAX_PATTERNS)


def _require_no_more(actor: Actor, key: ApiKey) -> None:
    """Otherwise whoever may make keys for others, or holds a limited key, could make themselves a better one."""
    missing = actor.access.missing(access_of(key.user).narrowed(key))
    if missing is not None:
        raise RightMissingError(missing)


def _no_longer(actor: Actor, expires_at: datetime | None) -> datetime | None:
    ends = [at for at in (expires_at, actor.key.expires_at if actor.key else None) if at is not None]
    return min(ends, default=None)


def find_key(secret: str) -> ApiKey | None:
    """The live key with its user. None if it is unknown, revoked or expired, or if its person may no longer sign in.

    Notes the use at most once a minute, so that most calls cost one query.
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
    """The live key that an AWS access key id (`dop_<prefix>`) names, and its secret. None as in `find_key`, and for a key not made to sign.

    The caller compares the signature and then calls `note_use`.
    """
    scheme, _, prefix = access_key_id.partition("_")
    if scheme != SCHEME or not prefix.isalnum() or not prefix.isascii():
        return None
    key = _find_live(prefix)
    secret = open_sealed(key.signing_secret) if key is not None and key.signing_secret else None
    return None if key is None or secret is None else (key, secret)


def note_use(key: ApiKey) -> ApiKey:
    """Notes the use of a key that was proved genuine, unless one was noted lately. Returns the key."""
    if key.is_stale:  # type: ignore[attr-defined]  # annotated by `_find_live`
        ApiKey.objects.filter(_STALE, pk=key.pk).update(last_used_at=Now())
        key.is_stale = False  # type: ignore[attr-defined]  # noted; the same key may be used again in a moment
    return key


def _find_live(prefix: str) -> ApiKey | None:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
    found = ApiKey.objects.filter(alive, prefix=prefix, revoked_at__isnull=True, user__is_active=True)
    key = found.annotate(is_stale=ExpressionWrapper(_STALE, BooleanField())).select_related("user").first()
    if key is not None:
        key.user.durable_key = key  # type: ignore[attr-defined]  # whoever asks for this person's rights gets the key's: `permissions.access_of`
    return key


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _act(action: str, key: ApiKey, **more: Any) -> log.Act:
    facts = {"name": key.name, "user": key.user.get_username(), "expires_at": key.expires_at and key.expires_at.isoformat(), **more}
    facts |= {"scopes": key.scopes, "functions": key.functions, "signs": bool(key.signing_secret)}
    return log.Act(action, "api_key", key.prefix, facts=facts)
