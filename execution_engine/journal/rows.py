"""Records as statement parameters and back, for the group commit and for statements under a lock."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.records import (
    NO_OPTIONS,
    ErrorObject,
    ExecutionRecord,
    HistoryEvent,
    OperationOptions,
    OperationRecord,
)

_OPTION_DEFAULTS = {name: getattr(NO_OPTIONS, name) for name in OperationOptions.__slots__}
_TYPES = {str(value): value for value in OperationType}
_STATUSES = {str(value): value for value in OperationStatus}


def error_text(error: ErrorObject | None) -> str | None:
    """The wire's error object as JSON text. `json` rather than orjson, because a lone surrogate must not fail here."""
    return None if error is None else json.dumps(error.to_wire(), separators=(",", ":"))


def error_from_text(text: str | None) -> ErrorObject | None:
    return None if text is None else ErrorObject.from_wire(json.loads(text))


def options_text(options: OperationOptions) -> str | None:
    """JSON of the options that were set; None when none was."""
    if options is NO_OPTIONS:
        return None
    asked = {name: value for name, default in _OPTION_DEFAULTS.items() if (value := getattr(options, name)) != default}
    return orjson.dumps(asked).decode() if asked else None


def details_text(event: HistoryEvent) -> str | None:
    return orjson.dumps(event.details).decode() if event.details else None


def operation_from_row(row: Sequence[Any]) -> OperationRecord:
    """From the 17 columns that every reading statement of `operations.sql` names, in their order."""
    return OperationRecord(
        row[0],
        _TYPES[row[1]],
        _STATUSES[row[2]],
        row[3],
        row[4],
        row[5],
        row[6],
        row[7],
        error_from_text(row[8]),
        row[9],
        NO_OPTIONS if row[10] is None else OperationOptions(**orjson.loads(row[10])),
        row[11],
        row[12],
        row[13],
        row[14],
        row[15],
        row[16],
    )


def operation_to_row(record: OperationRecord) -> tuple[Any, ...]:
    """The inverse of `operation_from_row`."""
    return (
        record.id,
        str(record.type),
        str(record.status),
        record.sub_type,
        record.name,
        record.parent_id,
        record.attempt,
        record.payload,
        error_text(record.error),
        record.replay_children,
        options_text(record.options),
        record.callback_id,
        record.started_at,
        record.ended_at,
        record.due_at,
        record.wake_seq,
        record.start_event,
    )


def operation_params(execution_id: UUID, record: OperationRecord) -> dict[str, Any]:
    """Parameters of an operation's row, by column."""
    return {
        "execution_id": execution_id,
        "id": record.id,
        "type": str(record.type),
        "sub_type": record.sub_type,
        "name": record.name,
        "parent_id": record.parent_id,
        "status": str(record.status),
        "attempt": record.attempt,
        "payload": record.payload,
        "error": error_text(record.error),
        "replay_children": record.replay_children,
        "options": options_text(record.options),
        "callback_id": record.callback_id,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "due_at": record.due_at,
        "wake_seq": record.wake_seq,
        "start_event": record.start_event,
    }


def event_params(execution_id: UUID, event_id: int, event: HistoryEvent, at: datetime) -> dict[str, Any]:
    """Parameters of an event's row, by column; those of `write_events`."""
    return {
        "execution_id": execution_id,
        "event_id": event_id,
        "type": str(event.type),
        "operation_id": event.operation_id,
        "at": at,
        "details": details_text(event),
        "payload": event.payload,
        "error": error_text(event.error),
    }


def execution_from_row(row: Sequence[Any]) -> ExecutionRecord:
    """From the columns of `read_execution` before `last_event_at`, in their order."""
    return ExecutionRecord(
        id=row[0],
        function=row[1],
        version=row[2],
        name=row[3],
        status=ExecutionStatus(row[4]),
        started_at=row[5],
        due_at=row[6],
        deadline_at=row[7],
        ended_at=row[8],
        claim_id=row[9],
        invocation_started_at=row[11],
        failed_invocations=row[12],
        event_seq=row[13],
        checkpoint_seq=row[14],
        wake_seq=row[15],
        told_seq=row[16],
    )
