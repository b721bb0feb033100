"""What the rules of all operation types share: refusing, starting and ending a record."""

from datetime import datetime
from typing import NoReturn

from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate


def refuse(record: OperationRecord | None, update: OperationUpdate) -> NoReturn:
    found = "nothing recorded" if record is None else record.status
    raise IllegalTransitionError(
        f"{update.action} of {update.type} {update.name or update.id} is not allowed from {found}",
        operation_id=update.id,
        action=str(update.action),
        operation_status=None if record is None else str(record.status),
    )


def started(update: OperationUpdate, now: datetime, *, due_at: datetime | None = None) -> OperationRecord:
    return OperationRecord(
        id=update.id,
        type=update.type,
        status=OperationStatus.STARTED,
        sub_type=update.sub_type,
        name=update.name,
        parent_id=update.parent_id,
        options=update.options,
        started_at=now,
        due_at=due_at,
    )


def ended(
    record: OperationRecord,
    status: OperationStatus,
    now: datetime,
    *,
    payload: str | None = None,
    error: ErrorObject | None = None,
    attempt: int | None = None,
    replay_children: bool = False,
) -> OperationRecord:
    # Built by hand: `replace` asks the dataclass for its fields each time, and every step of every execution comes by here.
    return OperationRecord(
        id=record.id,
        type=record.type,
        status=status,
        sub_type=record.sub_type,
        name=record.name,
        parent_id=record.parent_id,
        attempt=record.attempt if attempt is None else attempt,
        payload=payload,
        error=error,
        replay_children=replay_children,
        options=record.options,
        callback_id=record.callback_id,
        started_at=record.started_at,
        ended_at=now,
        due_at=None,
        wake_seq=record.wake_seq,
        start_event=record.start_event,
    )
