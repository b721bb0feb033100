"""The history by page, without payloads; `selectors/history.py` gives single events in the wire's shape."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.core.history import KEPT
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
    items = tuple(_row(row, titles) for row in shown)
    return EventPage(items, items[-1].event_id if len(rows) > limit else None)


def _row(row: Mapping[str, Any], titles: Mapping[str, str]) -> EventRow:
    details = json.loads(row["details"]) if row["details"] else {}
    was = details.pop(KEPT, {})
    title = _title(was.get("Name"), was.get("SubType"), row["type"]) if was else titles.get(row["operation_id"])
    return EventRow(row["event_id"], row["type"], row["at"], row["operation_id"], title, details)


def _titles(execution_id: UUID, operation_ids: set[str]) -> dict[str, str]:
    if not operation_ids:
        return {}
    found = Operation.objects.filter(execution_id=execution_id, id__in=operation_ids)
    rows = found.values_list("id", "name", "sub_type", "type")
    return {operation_id: _title(name, sub_type, kind.title()) for operation_id, name, sub_type, kind in rows}


def _title(name: str | None, sub_type: str | None, kind: str) -> str:
    return plain_title(name) or sub_type or kind
