"""Sends what the outbox promises: at least once, each mail under one Message-ID, none that is no longer wanted."""

import logging
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse

from durable_ops.approvals import confirmers, links, mails, shown
from durable_ops.approvals.facts import address_of, ends_at
from durable_ops.models import Approval, Outbox

logger = logging.getLogger(__name__)
TURN_SECONDS = 20.0
MAX_WAIT_SECONDS = 3600
KEPT_DAYS = 90
NOT_NEEDED = "no longer needed"
# One address, so that a link never goes to a second one; no name, comment or list around it.
_ONE_ADDRESS = re.compile(r"[^\s@,;:<>\"()]+@[^\s@,;:<>\"()]+")
# Control characters, and marks that make a mail program show text in another order than it has.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
    if reason := _why_not(mail):
        Outbox.objects.filter(id=mail.id).update(due_at=None, last_error=reason)
        return False
    try:
        _message(mail).send()
    except Exception as error:  # whatever a mail backend raises; the mail stays promised
        logger.warning("mail %s was not accepted, it is tried again: %s", mail.message_id, error)
        Outbox.objects.filter(id=mail.id).update(last_error=f"{type(error).__name__}: {error}"[:1000])
        return False
    Outbox.objects.filter(id=mail.id).update(sent_at=Now(), due_at=None, last_error="")
    return True


def _why_not(mail: Outbox) -> str:
    """Why nobody needs this mail any more; empty when it is to be sent."""
    if mail.address:
        return "" if _ONE_ADDRESS.fullmatch(mail.address) else "one mail cannot be sent to this address"
    if mail.user is None or not _is_wanted(mail):
        return NOT_NEEDED
    if not _ONE_ADDRESS.fullmatch(address_of(mail.user)):
        return "the person has no address that one mail can be sent to"
    return ""


def _is_wanted(mail: Outbox) -> bool:
    if mail.template == confirmers.TEMPLATE:
        return confirmers.is_wanted(mail)
    approval = mail.approval
    return approval is not None and approval.closed_at is None and mails.is_wanted(approval, mail.user)


def _message(mail: Outbox) -> EmailMultiAlternatives:
    facts = mail.facts if mail.address else _facts(mail)
    subject = " ".join(_UNSEEN.sub(" ", render_to_string(f"emails/{mail.template}.subject", facts)).split())
    message = EmailMultiAlternatives(
        subject,
        render_to_string(f"emails/{mail.template}.txt", facts),
        to=[mail.address or address_of(mail.user)],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(render_to_string(f"emails/{mail.template}.html", facts), "text/html")
    return message


def _facts(mail: Outbox) -> dict[str, Any]:
    approval, person = mail.approval, mail.user
    assert person is not None
    # Users of a project's own model need not have a short name.
    greeting = _one_line(getattr(person, "first_name", "") or person.get_username())
    if mail.template == confirmers.TEMPLATE:
        return {**confirmers.facts(mail), "greeting": greeting}
    assert approval is not None
    with transaction.atomic():
        content = shown.content_of(approval)
        shown.remember(approval, content)
        link = links.address(links.make(approval, person)) if approval.allow_link_decision else _console_address(approval)
    details = [(label, shown.words(value)) for label, value in content[1:]]
    facts = {"approval": approval, "details": details, "greeting": greeting, "link": link, "ends_at": ends_at(approval)}
    return {**facts, "lines": _lines(details), "requester": _one_line(approval.requester), **mail.facts}


def _lines(details: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """For the text part: what somebody wrote over several lines stays indented, so that it cannot pass for our own words."""
    return [(_one_line(label), "\n      ".join(text.splitlines())) for label, text in details]


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())


def _console_address(approval: Approval) -> str:
    return f"{settings.PUBLIC_URL}{reverse('dashboard:approval', args=[approval.pk])}"
