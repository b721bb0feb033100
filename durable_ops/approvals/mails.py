"""What goes into the outbox. Mails are promised in the transaction of their cause; a duty sends them afterwards."""

from typing import Any
from uuid import uuid4

from django.core.mail.utils import DNS_NAME

from durable_ops.approvals.facts import address_of, person_of, question_of
from durable_ops.approvals.people import asked_people
from durable_ops.approvals.policy import wants_mail
from durable_ops.models import Approval, MailPreference, Outbox


def queue_request(approval: Approval) -> None:
    """To everybody who could approve, has an address and wants such mails."""
    queue(approval, "approval_request", _recipients(approval))


def queue_reminder(approval: Approval) -> None:
    """As `queue_request`, to those who want reminders."""
    queue(approval, "approval_reminder", _recipients(approval, kind="reminders"))


def queue_escalation(approval: Approval) -> None:
    """To those only whom the escalation added."""
    queue(approval, "approval_escalation", _recipients(approval, escalation_only=True))


def queue(approval: Approval, template: str, people: list[Any], **facts: Any) -> None:
    """One mail to each of them, in one statement."""
    Outbox.objects.bulk_create(
        Outbox(message_id=f"<{uuid4().hex}@{DNS_NAME}>", template=template, approval=approval, user=user, facts=facts) for user in people
    )


def is_wanted(approval: Approval, user: Any) -> bool:
    """Whether this person may still approve. Asked when a mail is promised and again when it is sent."""
    return wants_mail(person_of(user), question_of(approval, is_waiting=approval.closed_at is None))


def _recipients(approval: Approval, *, escalation_only: bool = False, kind: str = "requests") -> list[Any]:
    """One query for the people, one for their wishes, and what `policy.py` asks about each."""
    people = [user for user in asked_people(approval, escalation_only=escalation_only) if address_of(user)]
    silent = set(MailPreference.objects.filter(user__in=people, **{kind: False}).values_list("user_id", flat=True))
    question = question_of(approval, is_waiting=approval.closed_at is None)
    return [user for user in people if user.pk not in silent and wants_mail(person_of(user), question)]
