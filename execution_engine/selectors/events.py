"""The history by page, without payloads; `selectors/history.py` gives single events in the wire's shape."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.models import Event, Operation
from execution_engine.selectors.explain import plain_title


@dataclass(frozen=True, slots=True)
class EventRow:
    """`details` are the event's own small values by AWS's key."""

    event_id: int
    type: str
    at: datetime
    operation_id: str | None
    operation_title: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    items: tuple[EventRow, ...]
    next_after: int | None


def list_event_rows(
    execution_id: UUID, *, kind: str | None = None, after: int | None = None, newest_first: bool = False, limit: int = 100
) -> EventPage:
    """Events beyond number `after` in the direction of reading. Two queries, one when no event has an operation."""
    found = Event.objects.filter(execution_id=execution_id)
    if kind:
        found = found.filter(type=kind)
    if after is not None:
        found = found.filter(event_id__lt=after) if newest_first else found.filter(event_id__gt=after)
    order = "-event_id" if newest_first else "event_id"
    rows = list(found.order_by(order).values("event_id", "type", "at", "operation_id", "details")[: limit + 1])
    shown = rows[:limit]
    titles = _titles(execution_id, {row["operation_id"] for row in shown if row["operation_id"]})
    items = tuple(
        EventRow(
            event_id=row["event_id"],
            type=row["type"],
            at=row["at"],
            operation_id=row["operation_id"],
            operation_title=titles.get(row["operation_id"]),
            details=json.loads(row["details"]) if row["details"] else {},
        )
        for row in shown
    )
    return EventPage(items, items[-1].event_id if len(rows) > limit else None)


def _titles(execution_id: UUID, operation_ids: set[str]) -> dict[str, str]:
    if not operation_ids:
        return {}
    found = Operation.objects.filter(execution_id=execution_id, id__in=operation_ids)
    rows = found.values_list("id", "name", "sub_type", "type")
    return {operation_id: plain_title(name) or sub_type or kind.title() for operation_id, name, sub_type, kind in rows}
