"""Mailed links, each for one approval and one person. Opening a link shows the approval; only a form that a person posts decides."""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from durable_ops.models import Approval, ApprovalLink

RANDOM_BYTES = 24
_SALT = "durable_ops.approvals.links"
_PAGE_SALT = "durable_ops.approvals.page"
PAGE_SECONDS = 3600
"""How long the form of an opened page can be posted; after that, the page has to be opened again."""


class LinkState(StrEnum):
    GOOD = "good"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    REDRIVEN = "redriven"


@dataclass(frozen=True, slots=True)
class FoundLink:
    state: LinkState
    link: ApprovalLink | None = None


def make(approval: Approval, user: Any) -> str:
    """A new token, of which only the hash is stored. The signature binds it to approval, redrive, person and end, so that a row which
    somebody else writes into the table opens nothing."""
    link = ApprovalLink(approval=approval, user=user, expires_at=_expires(approval), redrive_count=approval.redrive_count)
    token = _signed(secrets.token_urlsafe(RANDOM_BYTES), link)
    link.digest = _digest(token)
    link.save()
    return token


def address(token: str) -> str:
    """The absolute address below PUBLIC_URL, because it stands in mails."""
    return f"{settings.PUBLIC_URL}{reverse('dashboard:mailed_approval', args=[token])}"


def find(token: str) -> FoundLink:
    """One query. Forged, cut and foreign tokens are all UNKNOWN."""
    found = ApprovalLink.objects.select_related("approval", "approval__claimed_by", "user").annotate(read_at=Now())
    link = found.filter(digest=_digest(token)).first()
    if link is None or not constant_time_compare(token, _signed(token.partition(".")[0], link)):
        return FoundLink(LinkState.UNKNOWN)
    if link.redrive_count != link.approval.redrive_count:
        return FoundLink(LinkState.REDRIVEN, link)
    if link.used_at is not None:
        return FoundLink(LinkState.USED, link)
    if link.expires_at <= link.read_at:
        return FoundLink(LinkState.EXPIRED, link)
    return FoundLink(LinkState.GOOD, link)


def page_value(link: ApprovalLink, shown_digest: str) -> str:
    """What the form on the page behind this link carries: proof that the page was opened, and the digest of what it showed."""
    return signing.dumps([link.pk, shown_digest], salt=_PAGE_SALT)


def read_page_value(link: ApprovalLink, value: str) -> str | None:
    """The digest of what was shown; None if the value is missing, old, forged, or of another link."""
    try:
        found = signing.loads(value, salt=_PAGE_SALT, max_age=PAGE_SECONDS)
    except signing.BadSignature:
        return None
    return str(found[1]) if isinstance(found, list) and len(found) == 2 and found[0] == link.pk else None


def _signed(random: str, link: ApprovalLink) -> str:
    ends = link.expires_at.astimezone(UTC).isoformat()
    bound = f"{random}:{link.approval.callback_id}:{link.redrive_count}:{link.user_id}:{ends}"
    mac = salted_hmac(_SALT, bound, algorithm="sha256").digest()[:18]
    return f"{random}.{urlsafe_b64encode(mac).decode()}"


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _expires(approval: Approval) -> datetime:
    """When the approval's time is over, or after `APPROVAL_LINK_DAYS`, whichever is first."""
    longest = timedelta(days=settings.APPROVAL_LINK_DAYS)
    asked = timedelta(seconds=approval.timeout) if approval.timeout else longest
    # Whole seconds: what is stored is what was signed.
    return (timezone.now() + min(asked, longest)).replace(microsecond=0)
