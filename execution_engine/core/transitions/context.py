"""CONTEXT: none -> STARTED -> SUCCEEDED | FAILED, all by its own handler."""

from datetime import datetime

from execution_engine.core.enums import EventType, OperationAction, OperationStatus
from execution_engine.core.records import HistoryEvent, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions.moves import ended, refuse, started


def apply(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """START, SUCCEED and FAIL under the claim. Raises IllegalTransitionError."""
    if update.action is OperationAction.START and record is None:
        return Transition(started(update, now), (HistoryEvent(EventType.CONTEXT_STARTED, update.id),))
    if record is None or record.status is not OperationStatus.STARTED:
        refuse(record, update)
    if update.action is OperationAction.SUCCEED:
        after = ended(record, OperationStatus.SUCCEEDED, now, payload=update.payload, replay_children=update.replay_children)
        return Transition(after, (HistoryEvent(EventType.CONTEXT_SUCCEEDED, update.id),))
    if update.action is OperationAction.FAIL:
        after = ended(record, OperationStatus.FAILED, now, error=update.error)
        return Transition(after, (HistoryEvent(EventType.CONTEXT_FAILED, update.id),))
    refuse(record, update)
