"""CHAINED_INVOKE: none -> STARTED by its handler; then the child's end completes it."""

from datetime import datetime
from typing import Any

from execution_engine.core.enums import EventType, OperationAction, OperationStatus
from execution_engine.core.records import ErrorObject, HistoryEvent, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions.moves import ended, refuse, started

_ENDS = {
    OperationStatus.SUCCEEDED: EventType.CHAINED_INVOKE_SUCCEEDED,
    OperationStatus.FAILED: EventType.CHAINED_INVOKE_FAILED,
    OperationStatus.TIMED_OUT: EventType.CHAINED_INVOKE_TIMED_OUT,
    OperationStatus.STOPPED: EventType.CHAINED_INVOKE_STOPPED,
}


def apply(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """START; the child's end completes it. Raises `IllegalTransitionError` for every other action."""
    if update.action is not OperationAction.START or record is not None:
        refuse(record, update)
    details: dict[str, Any] = {"FunctionName": update.options.function}
    if update.options.version is not None:
        details["ExecutedVersion"] = update.options.version
    if update.options.child is not None:
        details["DurableExecutionArn"] = update.options.child
    if update.options.tenant is not None:
        details["TenantId"] = update.options.tenant
    event = HistoryEvent(EventType.CHAINED_INVOKE_STARTED, update.id, details, payload=update.payload)
    return Transition(started(update, now), (event,))


def complete(
    record: OperationRecord,
    status: OperationStatus,
    now: datetime,
    *,
    payload: str | None = None,
    error: ErrorObject | None = None,
) -> Transition | None:
    """The child ended with `status`. None when the operation was completed before, as the news may come twice."""
    if record.status is not OperationStatus.STARTED:
        return None
    after = ended(record, status, now, payload=payload, error=error)
    return Transition(after, (HistoryEvent(_ENDS[status], record.id),))
