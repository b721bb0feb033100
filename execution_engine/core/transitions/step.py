"""STEP: none -> STARTED -> SUCCEEDED | FAILED | PENDING; PENDING -> READY by time; READY -> STARTED.

A poll (sub type WaitForCondition) is a STEP that retries with a payload, its state, instead of an error.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import EventType, OperationAction, OperationStatus
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import HistoryEvent, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions.moves import ended, refuse, started

_RUNNING = (OperationStatus.STARTED, OperationStatus.READY)


def apply(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """START, RETRY, SUCCEED and FAIL under the claim; an end counts one attempt. Raises IllegalTransitionError."""
    if update.action is OperationAction.START:
        return _start(record, update, now)
    if record is None or record.status not in _RUNNING or update.action is OperationAction.CANCEL:
        refuse(record, update)
    if update.action is OperationAction.RETRY:
        return _retry(record, update, now)
    attempt = record.attempt + 1
    succeeded = update.action is OperationAction.SUCCEED
    status = OperationStatus.SUCCEEDED if succeeded else OperationStatus.FAILED
    event = EventType.STEP_SUCCEEDED if succeeded else EventType.STEP_FAILED
    after = ended(record, status, now, payload=update.payload, error=update.error, attempt=attempt)
    return Transition(after, (HistoryEvent(event, update.id, _retry_details(attempt)),))


def fire(record: OperationRecord, now: datetime) -> Transition:
    """READY: the next attempt is due. This writes no event; the next StepStarted shows it."""
    return Transition(replace(record, status=OperationStatus.READY, due_at=None))


def _start(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    event = HistoryEvent(EventType.STEP_STARTED, update.id)
    if record is None:
        return Transition(started(update, now), (event,))
    if record.status is not OperationStatus.READY:
        refuse(record, update)
    return Transition(replace(record, status=OperationStatus.STARTED), (event,))


def _retry(record: OperationRecord, update: OperationUpdate, now: datetime) -> Transition:
    delay, attempt = update.options.delay, record.attempt + 1
    if delay < 1:
        raise IllegalTransitionError("RETRY needs a delay of at least 1 second", operation_id=update.id, value=delay)
    after = replace(
        record,
        status=OperationStatus.PENDING,
        attempt=attempt,
        payload=update.payload,
        error=update.error,
        due_at=now + timedelta(seconds=delay),
    )
    details = _retry_details(attempt, delay)
    if update.error is not None:
        return Transition(after, (HistoryEvent(EventType.STEP_FAILED, update.id, details, error=update.error),))
    return Transition(after, (HistoryEvent(EventType.STEP_SUCCEEDED, update.id, details, payload=update.payload or ""),))


def _retry_details(attempt: int, delay: int | None = None) -> dict[str, Any]:
    details = {"CurrentAttempt": attempt}
    if delay is not None:
        details["NextAttemptDelaySeconds"] = delay
    return {"RetryDetails": details}
