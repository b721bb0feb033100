"""Deliveries of a webhook, for people and programs that look."""

from django.db.models import Q, QuerySet

from durable_ops.models import Delivery, Webhook

STATES: dict[str, Q] = {
    "waiting": Q(sent_at=None, due_at__isnull=False),
    "sent": Q(sent_at__isnull=False),
    "given_up": Q(sent_at=None, due_at=None),
}


def deliveries_in(hook: Webhook, state: str) -> QuerySet[Delivery]:
    """Those in this state, without body and headers; any state when it is empty or unknown."""
    return hook.deliveries.filter(STATES.get(state, Q())).defer("body", "headers")
