"""Deliveries of a webhook, for people and programs that look."""

from django.db.models import Q

from durable_ops.models import Delivery, Webhook

STATES: dict[str, Q] = {
    "waiting": Q(sent_at=None, due_at__isnull=False),
    "sent": Q(sent_at__isnull=False),
    "given_up": Q(sent_at=None, due_at=None),
}


def deliveries_in(hook: Webhook, state: str, *, before: int = 0, limit: int = 50) -> tuple[list[Delivery], int | None]:
    """The newest in this state (any, when empty), and the number that the next page goes on from. One query."""
    found = hook.deliveries.filter(STATES.get(state, Q())).defer("body", "headers").order_by("-id")
    rows = list((found.filter(id__lt=before) if before else found)[: limit + 1])
    return rows[:limit], rows[limit - 1].pk if len(rows) > limit else None
