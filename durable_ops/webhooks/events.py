"""The events that webhooks can be told of, and the promise of a delivery to each that asked for one."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models.functions import Now

from durable_ops.models import Delivery, Webhook

EXPIRES_AFTER = timedelta(days=3)
"""A delivery is tried no longer than this."""


class EventType(StrEnum):
    ENDED = "execution.ended"
    FAILED = "execution.failed"
    WAITING = "execution.waiting"
    REQUESTED = "approval.requested"
    DECIDED = "approval.decided"
    ESCALATED = "approval.escalated"
    EXPIRED = "approval.expired"
    ALERT = "alert.firing"
    RESOLVED = "alert.resolved"
    TEST = "webhook.test"


LABELS: dict[EventType, str] = {
    EventType.ENDED: "An execution ended, however",
    EventType.FAILED: "An execution failed or ran out of time",
    EventType.WAITING: "An execution waits for an approval or a callback",
    EventType.REQUESTED: "An approval was asked for",
    EventType.DECIDED: "Somebody approved or rejected",
    EventType.ESCALATED: "An approval was put to more people",
    EventType.EXPIRED: "An approval ran out of time",
}
"""What can be asked for. Alerts name their webhook themselves, a test is sent by hand."""


@dataclass(frozen=True, slots=True)
class Event:
    """`key` tells it from every other of its type: the same key is the same event, delivered once under one id.

    `data` are small JSON values, never a payload; `headers` the trace of the execution.
    """

    type: EventType
    key: str
    at: datetime
    function: str
    execution_id: UUID | None
    data: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"msg_{uuid5(NAMESPACE_URL, f'{self.type.value}:{self.key}').hex}"

    def body(self) -> str:
        """`{"type", "timestamp", "data"}`, as Standard Webhooks has it."""
        whole = {"type": self.type.value, "timestamp": self.at.isoformat(), "data": dict(self.data)}
        return json.dumps(whole, ensure_ascii=True, separators=(",", ":"))


def listeners(types: Collection[EventType]) -> list[Webhook]:
    """Active webhooks that asked for one of these types. One query."""
    wanted = set(types)
    return [hook for hook in Webhook.objects.filter(is_active=True).order_by("id") if wanted & set(hook.events)]


def promise(events: Iterable[Event], hooks: Collection[Webhook]) -> int:
    """Adds a delivery for each event and webhook that match, within the caller's transaction; answers how many were asked for.

    An event that was promised before is not promised again. One statement.
    """
    found = [_delivery(event, hook) for event in events for hook in hooks if _wants(hook, event)]
    Delivery.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def promise_to(hook: Webhook, event: Event) -> None:
    """To this one, whatever it asked for."""
    Delivery.objects.bulk_create([_delivery(event, hook)], ignore_conflicts=True)


def _wants(hook: Webhook, event: Event) -> bool:
    return event.type in hook.events and event.at >= hook.active_since and fnmatchcase(event.function, hook.functions)


def _delivery(event: Event, hook: Webhook) -> Delivery:
    return Delivery(
        webhook=hook,
        event_id=event.id,
        event=event.type,
        execution_id=event.execution_id,
        body=event.body(),
        headers=dict(event.headers),
        expires_at=Now() + EXPIRES_AFTER,
    )
