"""Sends what the outbox promises: at least once, each mail under one Message-ID, none that is no longer wanted."""

import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse

from durable_ops.approvals import links, shown
from durable_ops.models import Approval, Outbox

logger = logging.getLogger(__name__)
TURN_SECONDS = 20.0
MAX_WAIT_SECONDS = 3600
KEPT_DAYS = 90


def send_due(_: Any = None) -> int:
    """Sends what is due, one by one, for at most 20 s; answers how many were sent. Several processes may do so at once.

    A mail is leased before it is sent: a process that dies in between leaves it to be sent again when the lease is over.
    """
    ends, sent = time.monotonic() + TURN_SECONDS, 0
    while time.monotonic() < ends and (mail := _lease()) is not None:
        sent += _send(mail)
    return sent


def forget_old(_: Any = None) -> int:
    """Removes mails sent more than 90 days ago, a thousand at a time."""
    old = Outbox.objects.filter(sent_at__lt=Now() - timedelta(days=KEPT_DAYS)).values("id")[:1000]
    return Outbox.objects.filter(id__in=list(old.values_list("id", flat=True))).delete()[0]


def _lease() -> Outbox | None:
    """The next mail, due again after 5 s, 10 s, 20 s ... up to an hour."""
    with transaction.atomic():
        due = Outbox.objects.select_for_update(skip_locked=True, of=("self",)).filter(sent_at=None, due_at__lte=Now())
        mail = due.select_related("approval", "user").order_by("due_at", "id").first()
        if mail is None:
            return None
        wait = timedelta(seconds=min(MAX_WAIT_SECONDS, 5 * 2 ** min(mail.attempts, 20)))
        Outbox.objects.filter(id=mail.id).update(attempts=F("attempts") + 1, due_at=Now() + wait)
    return mail


def _send(mail: Outbox) -> bool:
    if not _is_wanted(mail):
        Outbox.objects.filter(id=mail.id).update(due_at=None, last_error="no longer needed")
        return False
    try:
        _message(mail).send()
    except Exception as error:  # whatever a mail backend raises; the mail stays promised
        logger.warning("mail %s was not accepted, it is tried again: %s", mail.message_id, error)
        Outbox.objects.filter(id=mail.id).update(last_error=f"{type(error).__name__}: {error}"[:1000])
        return False
    Outbox.objects.filter(id=mail.id).update(sent_at=Now(), due_at=None, last_error="")
    return True


def _is_wanted(mail: Outbox) -> bool:
    is_open = mail.approval is None or mail.approval.closed_at is None
    return is_open and mail.user is not None and mail.user.is_active and bool(mail.user.email)


def _message(mail: Outbox) -> EmailMultiAlternatives:
    facts = _facts(mail)
    subject = " ".join(render_to_string(f"emails/{mail.template}.subject", facts).split())
    message = EmailMultiAlternatives(
        subject,
        render_to_string(f"emails/{mail.template}.txt", facts),
        to=[mail.user.email],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(render_to_string(f"emails/{mail.template}.html", facts), "text/html")
    return message


def _facts(mail: Outbox) -> dict[str, Any]:
    approval = mail.approval
    assert approval is not None
    with transaction.atomic():
        content = shown.content_of(approval)
        shown.remember(approval, content)
        link = links.address(links.make(approval, mail.user)) if approval.allow_link_decision else _console_address(approval)
    ends_at = approval.asked_at + timedelta(seconds=approval.timeout) if approval.timeout else None
    return {"approval": approval, "details": content[1:], "person": mail.user, "link": link, "ends_at": ends_at, **mail.facts}


def _console_address(approval: Approval) -> str:
    return f"{settings.PUBLIC_URL}{reverse('dashboard:approval', args=[approval.pk])}"
