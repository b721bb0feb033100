"""Mails those who can confirm that an edited redrive waits for a second person.

The mail names the execution and the reason. Values stay in the console, which shows them to those who may see them.
"""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.mail.utils import DNS_NAME
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from durable_ops.approvals.facts import address_of
from durable_ops.approvals.people import MAX_RECIPIENTS
from durable_ops.approvals.policy import spelt
from durable_ops.models import MailPreference, Outbox, RedriveRequest, Right
from durable_ops.permissions import APP, access_of
from durable_ops.selectors.masking import masking_of

TEMPLATE = "redrive_request"


def queue(request: RedriveRequest) -> None:
    """One mail to each person who can confirm, has an address and wants such mails. Needs the transaction of the request."""
    named = Permission.objects.filter(codename=Right.CONFIRM_REDRIVE.value, content_type__app_label=APP)
    holds = Q(is_superuser=True) | Q(user_permissions__in=named) | Q(groups__permissions__in=named)
    users = get_user_model()._default_manager.filter(holds, is_active=True).distinct().order_by("pk")[:MAX_RECIPIENTS]
    silent = set(MailPreference.objects.filter(requests=False).values_list("user_id", flat=True))
    facts = {"request": request.pk, "sentence": f"Edited redrive of {request.execution_name}"}
    Outbox.objects.bulk_create(
        Outbox(message_id=f"<{uuid4().hex}@{DNS_NAME}>", template=TEMPLATE, user=user, facts=facts)
        for user in users
        if address_of(user) and user.pk not in silent and may_confirm(user, request)
    )


def may_confirm(user: Any, request: RedriveRequest) -> bool:
    """Whether this is somebody other than the requester who may confirm for this function and sees all values. At most three queries."""
    access = access_of(user)
    rights = (Right.CONFIRM_REDRIVE, Right.VIEW_PAYLOAD)
    sees_all = all(access.may(right, request.function) for right in rights) and not masking_of(access).of(request.function).paths
    return sees_all and not is_requester(user, request)


def is_requester(user: Any, request: RedriveRequest) -> bool:
    """Whether this is the requester, also by another account with the same mailbox."""
    mailbox = spelt(address_of(user))
    is_same_box = bool(mailbox) and request.requester is not None and mailbox == spelt(address_of(request.requester))
    return request.requester_id == user.pk or is_same_box


def is_wanted(mail: Outbox) -> bool:
    """Whether the request still waits, and for the reader of the mail. Asked again when the mail is sent."""
    open_ones = RedriveRequest.objects.filter(outcome=RedriveRequest.Outcome.WAITING, expires_at__gt=Now())
    request = open_ones.filter(pk=mail.facts["request"]).first()
    return request is not None and may_confirm(mail.user, request)


def facts(mail: Outbox) -> dict[str, Any]:
    """For the mail's templates, read when it is sent."""
    request = RedriveRequest.objects.get(pk=mail.facts["request"])
    reason = " ".join(request.reason.split())  # on one line, so that it cannot pass for text of this application
    return {"request": request, "reason": reason, "link": f"{settings.PUBLIC_URL}{reverse('dashboard:redrive_request', args=[request.pk])}"}
