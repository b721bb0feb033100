"""What becomes of approvals is promised to webhooks in the transaction of the act itself: rolled back with it, or sent."""

from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.urls import reverse

from durable_ops.models import Approval
from durable_ops.webhooks import facts
from durable_ops.webhooks.events import Event, EventType, listeners, promise
from execution_engine.models import Execution


def announce(kind: EventType, approval: Approval, *, key: str = "", **more: Any) -> None:
    """Within the caller's transaction. One query while nobody listens. `key` tells one such event of an approval from the next."""
    hooks = listeners([kind])
    if not hooks:
        return
    columns = ("function", "version", "name", "status", "started_at", "traceparent", "correlation_id")
    found = Execution.objects.filter(id=approval.execution_id).annotate(now=Now()).values(*columns, "now").first()
    if found is None:
        return
    at, traceparent, correlation_id = found.pop("now"), found.pop("traceparent"), found.pop("correlation_id")
    data = {**facts.execution(approval.execution_id, **found), "approval": _approval(approval), **more}
    trace = facts.trace(traceparent=traceparent, correlation_id=correlation_id)
    key = f"{approval.pk}:{approval.redrive_count}:{key}"
    promise([Event(kind, key, at, found["function"], approval.execution_id, data, trace)], hooks)


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.pk,
        "name": approval.name,
        "title": approval.title,
        "callback_id": approval.callback_id,
        "requester": approval.requester,
        "asked_at": facts.text(approval.asked_at),
        "url": f"{settings.PUBLIC_URL}{reverse('dashboard:approval', args=[approval.pk])}",
    }
