"""From stored event rows to AWS's Event objects (GetDurableExecutionHistory, API version 2025-12-01)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import EventType

_PAYLOAD_KEY = {
    EventType.EXECUTION_STARTED: "Input",
    EventType.EXECUTION_SUCCEEDED: "Result",
    EventType.CONTEXT_SUCCEEDED: "Result",
    EventType.STEP_SUCCEEDED: "Result",
    EventType.CALLBACK_SUCCEEDED: "Result",
    EventType.CHAINED_INVOKE_STARTED: "Input",
    EventType.CHAINED_INVOKE_SUCCEEDED: "Result",
}
_ERROR_EVENTS = frozenset(
    {
        EventType.EXECUTION_FAILED,
        EventType.EXECUTION_TIMED_OUT,
        EventType.EXECUTION_STOPPED,
        EventType.INVOCATION_COMPLETED,
        EventType.CONTEXT_FAILED,
        EventType.STEP_FAILED,
        EventType.WAIT_CANCELLED,
        EventType.CALLBACK_FAILED,
        EventType.CALLBACK_TIMED_OUT,
        EventType.CHAINED_INVOKE_FAILED,
        EventType.CHAINED_INVOKE_TIMED_OUT,
        EventType.CHAINED_INVOKE_STOPPED,
    }
)


KEPT = "Kept"
"""Detail of an event whose operation or execution was redriven after it: Name, SubType and ParentId as they were. Its payload and
error are its own, since the row tells of a later run. Never on the wire."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event row joined with what its operation and execution keep for it; `error` is the wire's JSON text."""

    event_id: int
    type: EventType
    at: datetime
    operation_id: str | None = None
    sub_type: str | None = None
    name: str | None = None
    parent_id: str | None = None
    details: Mapping[str, Any] | None = None
    payload: str | None = None
    error: str | None = None


def to_wire(event: StoredEvent, execution_id: str, *, include_data: bool = True) -> dict[str, Any]:
    """AWS's keys and omissions: absent SubType, Name, ParentId have no key; data left out keeps its empty object.

    The execution is an operation too: its events carry its id, without which AWS's own tools refuse a history.
    """
    wire: dict[str, Any] = {
        "EventType": str(event.type),
        "EventId": event.event_id,
        "EventTimestamp": event.at,
    }
    whose = event.operation_id or (None if event.type is EventType.INVOCATION_COMPLETED else execution_id)
    optional = {"Id": whose, "SubType": event.sub_type, "Name": event.name, "ParentId": event.parent_id}
    wire.update({key: value for key, value in optional.items() if value})
    wire[f"{event.type}Details"] = _details(event, include_data)
    return wire


def _details(event: StoredEvent, include_data: bool) -> dict[str, Any]:
    details = {key: value for key, value in (event.details or {}).items() if key != KEPT}
    if event.type is EventType.WAIT_STARTED:
        details["ScheduledEndTimestamp"] = event.at + timedelta(seconds=details["Duration"])
    for asked in ("PauseRequestTimestamp", "ResumeRequestTimestamp"):
        if asked in details:
            details[asked] = datetime.fromisoformat(details[asked])
            if "Reason" in details:
                details["Reason"] = _data(details["Reason"], include_data)
    if event.type is EventType.EXECUTION_PAUSED:
        details["ExecutionTimeoutPaused"] = details.get("ExecutionTimeoutPaused", False)
        details.pop("RemainingSeconds", None)
    if event.type is EventType.INVOCATION_COMPLETED:
        details["StartTimestamp"] = datetime.fromisoformat(details["StartTimestamp"]) if "StartTimestamp" in details else event.at
        details["EndTimestamp"] = event.at
    if event.type is EventType.EXECUTION_REDRIVEN and event.payload is not None:
        details |= {key: _data(json.dumps(values), include_data) for key, values in json.loads(event.payload).items()}
    key = _PAYLOAD_KEY.get(event.type)
    if key is not None:
        details[key] = _data(event.payload, include_data)
    if event.type in _ERROR_EVENTS:
        details["Error"] = _data(None if event.error is None else json.loads(event.error), include_data)
    return details


def _data(payload: Any, include_data: bool) -> dict[str, Any]:
    if not include_data:
        return {"Truncated": payload is not None}
    if payload is None:
        return {"Truncated": False}
    return {"Payload": payload, "Truncated": False}
