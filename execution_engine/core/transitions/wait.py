"""WAIT: none -> STARTED -> SUCCEEDED by time, or CANCELLED by its own handler."""

from datetime import datetime, timedelta

from execution_engine.core.enums import EventType, OperationAction, OperationStatus
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import HistoryEvent, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions.moves import ended, refuse, started


def apply(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """START and CANCEL under the claim. Raises IllegalTransitionError."""
    if update.action is OperationAction.START and record is None:
        duration = update.options.duration
        if duration < 1:
            raise IllegalTransitionError("a wait lasts at least 1 second", operation_id=update.id, value=duration)
        after = started(update, now, due_at=now + timedelta(seconds=duration))
        return Transition(after, (HistoryEvent(EventType.WAIT_STARTED, update.id, {"Duration": duration}),))
    if update.action is OperationAction.CANCEL and record is not None and record.status is OperationStatus.STARTED:
        after = ended(record, OperationStatus.CANCELLED, now, error=update.error)
        return Transition(after, (HistoryEvent(EventType.WAIT_CANCELLED, update.id),))
    refuse(record, update)


def fire(record: OperationRecord, now: datetime) -> Transition:
    """SUCCEEDED: the time is over."""
    after = ended(record, OperationStatus.SUCCEEDED, now)
    details = {"Duration": record.options.duration}
    return Transition(after, (HistoryEvent(EventType.WAIT_SUCCEEDED, record.id, details),))
