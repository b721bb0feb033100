"""The history in AWS's Event shape (GetDurableExecutionHistory): event rows joined with what is stored once elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from execution_engine.core.enums import TERMINAL_EVENT_TYPES, EventType
from execution_engine.core.history import KEPT, StoredEvent, to_wire
from execution_engine.models import Event, Execution, Operation


@dataclass(frozen=True, slots=True)
class _Owner:
    """What an event's operation or execution keeps for it."""

    sub_type: str | None = None
    name: str | None = None
    parent_id: str | None = None
    payload: str | None = None
    error: str | None = None


_NOBODY = _Owner()


def list_events(
    execution_id: UUID, *, after: int = 0, limit: int = 1000, reverse: bool = False, include_data: bool = True
) -> list[dict[str, Any]]:
    """Events beyond number `after` in the direction of reading (0: from the beginning, or from the end when `reverse`).

    At most three queries. An unknown execution has no events.
    """
    found = Event.objects.filter(execution_id=execution_id)
    if after:
        found = found.filter(event_id__lt=after) if reverse else found.filter(event_id__gt=after)
    rows = list(found.order_by("-event_id" if reverse else "event_id").values()[:limit])
    operations = _operations(execution_id, {row["operation_id"] for row in rows if row["operation_id"]}, include_data)
    execution = _execution(execution_id, rows) if include_data else {}
    return [to_wire(_stored(row, operations, execution), str(execution_id), include_data=include_data) for row in rows]


def _stored(row: Mapping[str, Any], operations: Mapping[str, _Owner], execution: Mapping[EventType, _Owner]) -> StoredEvent:
    kind, details = EventType(row["type"]), json.loads(row["details"]) if row["details"] else {}
    owner = operations.get(row["operation_id"], _NOBODY) if row["operation_id"] else execution.get(kind, _NOBODY)
    if (was := details.get(KEPT)) is not None:
        owner = _Owner(was.get("SubType"), was.get("Name"), was.get("ParentId"))
    kept = _NOBODY if _keeps_its_own(kind, details) else owner
    return StoredEvent(
        event_id=row["event_id"],
        type=kind,
        at=row["at"],
        operation_id=row["operation_id"],
        sub_type=owner.sub_type,
        name=owner.name,
        parent_id=owner.parent_id,
        details=details,
        payload=row["payload"] if row["payload"] is not None else kept.payload,
        error=row["error"] if row["error"] is not None else kept.error,
    )


def _keeps_its_own(kind: EventType, details: Mapping[str, Any]) -> bool:
    """A start, and an attempt that is followed by another: what the operation holds now came later."""
    is_start = kind.endswith("Started") and kind is not EventType.EXECUTION_STARTED
    return is_start or "NextAttemptDelaySeconds" in details.get("RetryDetails", {})


def _operations(execution_id: UUID, ids: set[str], include_data: bool) -> dict[str, _Owner]:
    if not ids:
        return {}
    columns = ("sub_type", "name", "parent_id", *(("payload", "error") if include_data else ()))
    found = Operation.objects.filter(execution_id=execution_id, id__in=ids).values("id", *columns)
    return {row.pop("id"): _Owner(**row) for row in found}


def _execution(execution_id: UUID, rows: Sequence[Mapping[str, Any]]) -> dict[EventType, _Owner]:
    """Input for its first event, result and error for its last; no query when neither is on this page."""
    ends = {str(kind) for kind in (EventType.EXECUTION_STARTED, *TERMINAL_EVENT_TYPES)}
    if not any(row["type"] in ends for row in rows):
        return {}
    row = Execution.objects.filter(id=execution_id).values("input", "result", "error").first()
    if row is None:
        return {}
    last = _Owner(payload=row["result"], error=row["error"])
    return {EventType.EXECUTION_STARTED: _Owner(payload=row["input"]), **dict.fromkeys(TERMINAL_EVENT_TYPES, last)}
