"""What the rules of all operation types share: refusing, starting and ending a record."""

from datetime import datetime
from typing import NoReturn

from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate


def refuse(record: OperationRecord | None, update: OperationUpdate) -> NoReturn:
    """Raises IllegalTransitionError, which names the operation, what was asked and what is recorded."""
    found = "nothing recorded" if record is None else record.status
    raise IllegalTransitionError(
        f"{update.action} of {update.type} {update.name or update.id} is not allowed from {found}",
        operation_id=update.id,
        action=str(update.action),
        operation_status=None if record is None else str(record.status),
    )


def started(update: OperationUpdate, now: datetime, *, due_at: datetime | None = None) -> OperationRecord:
    """The record that a START makes; `due_at` is when time will move it."""
    # In the order of the fields, here and below: by keyword a record takes half as long again, and every step makes two.
    return OperationRecord(
        update.id, update.type, OperationStatus.STARTED, update.sub_type, update.name, update.parent_id,
        0, None, None, False, update.options, None, now, None, due_at,
    )  # fmt: skip


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
    """The record with its end: no timer any more, everything that was asked for at its start kept."""
    # Built by hand: `replace` asks the dataclass for its fields each time, and every step of every execution comes by here.
    return OperationRecord(
        record.id, record.type, status, record.sub_type, record.name, record.parent_id,
        record.attempt if attempt is None else attempt, payload, error, replay_children, record.options, record.callback_id,
        record.started_at, now, None, record.wake_seq, record.start_event,
    )  # fmt: skip
