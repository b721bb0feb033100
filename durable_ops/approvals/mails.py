"""What is put into the outbox. A mail is promised in the transaction of its cause and sent by a duty afterwards."""

from typing import Any
from uuid import uuid4

from django.core.mail.utils import DNS_NAME

from durable_ops.approvals.people import asked_people
from durable_ops.models import Approval, Outbox


def queue_request(approval: Approval) -> None:
    """To everybody who is asked and has an address, except the requester who may not approve anyway."""
    queue(approval, "approval_request", _recipients(approval))


def queue_reminder(approval: Approval) -> None:
    queue(approval, "approval_reminder", _recipients(approval))


def queue_escalation(approval: Approval) -> None:
    queue(approval, "approval_escalation", _recipients(approval, escalation_only=True))


def queue(approval: Approval, template: str, people: list[Any], **facts: Any) -> None:
    """One mail to each, in one statement."""
    Outbox.objects.bulk_create(
        Outbox(message_id=f"<{uuid4().hex}@{DNS_NAME}>", template=template, approval=approval, user=user, facts=facts) for user in people
    )


def _recipients(approval: Approval, *, escalation_only: bool = False) -> list[Any]:
    people = asked_people(approval, escalation_only=escalation_only)
    barred = "" if approval.requester_may_approve else approval.requester
    return [user for user in people if user.email and user.get_username() != barred]
