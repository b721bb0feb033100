"""CALLBACK: none -> STARTED by its handler; then SUCCEEDED | FAILED from outside, or TIMED_OUT by time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import EventType, OperationAction, OperationStatus
from execution_engine.core.errors import CallbackCompletedError
from execution_engine.core.identifiers import new_callback_id
from execution_engine.core.records import ErrorObject, HistoryEvent, OperationOptions, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions.moves import ended, refuse, started

TIMEOUT_ERROR = "Callback.Timeout"
HEARTBEAT_ERROR = "Callback.Heartbeat"


def apply(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """START creates the id under which outsiders answer. Raises `IllegalTransitionError` for every other action."""
    if update.action is not OperationAction.START or record is not None:
        refuse(record, update)
    callback_id = update.options.approval or new_callback_id()
    after = replace(started(update, now, due_at=_next_timer(update.options, now, now)), callback_id=callback_id)
    details: dict[str, Any] = {"CallbackId": callback_id}
    if update.options.timeout:
        details["Timeout"] = update.options.timeout
    if update.options.heartbeat:
        details["HeartbeatTimeout"] = update.options.heartbeat
    return Transition(after, (HistoryEvent(EventType.CALLBACK_STARTED, update.id, details),))


def complete(record: OperationRecord, now: datetime, *, payload: str | None = None, error: ErrorObject | None = None) -> Transition:
    """An outsider's answer. Raises `CallbackCompletedError` when it comes too late, even if the timer has not fired yet."""
    _refuse_late(record, now)
    if error is None:
        after = ended(record, OperationStatus.SUCCEEDED, now, payload=payload)
        return Transition(after, (HistoryEvent(EventType.CALLBACK_SUCCEEDED, record.id),))
    after = ended(record, OperationStatus.FAILED, now, error=error)
    return Transition(after, (HistoryEvent(EventType.CALLBACK_FAILED, record.id),))


def heartbeat(record: OperationRecord, now: datetime) -> Transition:
    """Restarts the heartbeat timer. Writes no event and wakes nobody."""
    _refuse_late(record, now)
    assert record.started_at is not None
    return Transition(replace(record, due_at=_next_timer(record.options, record.started_at, now)))


def fire(record: OperationRecord, now: datetime) -> Transition:
    """TIMED_OUT: by the time limit if both timers are over, else by the missing heartbeat."""
    assert record.started_at is not None
    timeout = record.options.timeout
    is_general = bool(timeout) and record.started_at + timedelta(seconds=timeout) <= now
    error = ErrorObject(
        message="Callback timed out" if is_general else "Callback timed out on heartbeat",
        type=TIMEOUT_ERROR if is_general else HEARTBEAT_ERROR,
    )
    after = ended(record, OperationStatus.TIMED_OUT, now, error=error)
    return Transition(after, (HistoryEvent(EventType.CALLBACK_TIMED_OUT, record.id),))


def _refuse_late(record: OperationRecord, now: datetime) -> None:
    status = record.status
    if status is OperationStatus.STARTED and record.due_at is not None and record.due_at <= now:
        status = OperationStatus.TIMED_OUT
    if status is not OperationStatus.STARTED:
        raise CallbackCompletedError(
            f"the callback is already {status}",
            callback_status=str(status),
            ended_at=record.ended_at or record.due_at,
        )


def _next_timer(options: OperationOptions, started_at: datetime, beat_at: datetime) -> datetime | None:
    """The nearer of two timers: the time limit runs from START, the heartbeat timer from the last heartbeat."""
    timers = []
    if options.timeout:
        timers.append(started_at + timedelta(seconds=options.timeout))
    if options.heartbeat:
        timers.append(beat_at + timedelta(seconds=options.heartbeat))
    return min(timers, default=None)
