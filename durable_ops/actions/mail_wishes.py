"""Which mails a person wants; everybody sets their own."""

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import MailPreference
from execution_engine.core.errors import InvalidInputError


def set_wishes(actor: Actor, *, requests: bool, reminders: bool) -> None:
    """Sets which mails the actor gets, from the next one on. Raises InvalidInputError for an actor who is no person."""
    if actor.user is None:
        raise InvalidInputError("Mails go to people.", field="user")
    with transaction.atomic():
        MailPreference.objects.update_or_create(user_id=actor.user.pk, defaults={"requests": requests, "reminders": reminders})
        facts = {"requests": requests, "reminders": reminders}
        log.append(actor, log.Act("mails.choose", "person", str(actor.user.pk), facts=facts))
