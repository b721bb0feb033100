"""What the rules of all operation types share: refusing, starting and ending a record."""

from dataclasses import replace
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
    return replace(
        record,
        status=status,
        payload=payload,
        error=error,
        ended_at=now,
        due_at=None,
        attempt=record.attempt if attempt is None else attempt,
        replay_children=replay_children,
    )
