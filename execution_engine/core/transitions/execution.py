"""The execution itself: how invocations end and how executions end, by the claim's holder, an outsider or time.

Every end of an invocation writes InvocationCompleted. A terminal event is written exactly once, after it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.errors import ExecutionEndedError, ExecutionNotEndedError
from execution_engine.core.records import ErrorObject, ExecutionRecord, HistoryEvent

EXIT_ERROR = ErrorObject(message="The worker process ended during the invocation", type="Runtime.ExitError")
TIMED_OUT_ERROR = ErrorObject(message="The invocation exceeded its time limit", type="Sandbox.Timedout")

MAX_FAILED_INVOCATIONS = 5
"""Failed invocations in a row before the execution fails with their error: AWS's local service uses five."""

RETRY_INVOCATION_SECONDS = 5
"""Between failed invocations, except after the death of a process, whose cause is most often elsewhere."""

_TERMINAL_EVENTS = {
    ExecutionStatus.SUCCEEDED: EventType.EXECUTION_SUCCEEDED,
    ExecutionStatus.FAILED: EventType.EXECUTION_FAILED,
    ExecutionStatus.TIMED_OUT: EventType.EXECUTION_TIMED_OUT,
    ExecutionStatus.STOPPED: EventType.EXECUTION_STOPPED,
}


@dataclass(frozen=True, slots=True)
class ExecutionTransition:
    record: ExecutionRecord
    events: tuple[HistoryEvent, ...]


def invocation_completed(record: ExecutionRecord, request_id: UUID | None, now: datetime, error: ErrorObject | None = None) -> HistoryEvent:
    """EndTimestamp is the event's own time, so it is not kept a second time."""
    details: dict[str, Any] = {}
    if record.invocation_started_at is not None:
        details["StartTimestamp"] = record.invocation_started_at.isoformat()
    if request_id is not None:
        details["RequestId"] = str(request_id)
    return HistoryEvent(EventType.INVOCATION_COMPLETED, None, details, error=error)


def suspend(record: ExecutionRecord, nearest_timer: datetime | None, now: datetime, request_id: UUID | None) -> ExecutionTransition:
    """The invocation answered PENDING. Another one is owed at once if something changed that this one had not been told of."""
    due_at = now if record.wake_seq != record.told_seq else _earliest(nearest_timer, record.deadline_at)
    after = replace(_released(record), due_at=due_at, failed_invocations=0)
    return ExecutionTransition(after, (invocation_completed(record, request_id, now),))


def end(
    record: ExecutionRecord,
    status: ExecutionStatus,
    now: datetime,
    *,
    result: str | None = None,
    error: ErrorObject | None = None,
    request_id: UUID | None = None,
) -> ExecutionTransition:
    """SUCCEEDED or FAILED by the handler, STOPPED by a person, TIMED_OUT by time.

    Writes the end of an invocation that is under way first. Raises `ExecutionEndedError` for an execution that has ended.
    """
    refuse_ended(record)
    events: tuple[HistoryEvent, ...] = ()
    if record.claim_id is not None and record.invocation_started_at is not None:
        events = (invocation_completed(record, request_id, now),)
    after = replace(_released(record), status=status, result=result, error=error, ended_at=now, due_at=None)
    return ExecutionTransition(after, (*events, HistoryEvent(_TERMINAL_EVENTS[status])))


def fail_invocation(
    record: ExecutionRecord,
    error: ErrorObject,
    now: datetime,
    request_id: UUID | None,
    *,
    counts: bool = True,
    is_final: bool = False,
    pause: int | None = None,
) -> ExecutionTransition:
    """An exception left the handler, its process died, or it ran too long. Another try follows; five in a row make the execution FAILED.

    `pause` is the number of seconds before the next try, in place of the usual one.
    """
    failed = record.failed_invocations + (1 if counts else 0)
    completed = invocation_completed(record, request_id, now, error)
    if is_final or failed >= MAX_FAILED_INVOCATIONS:
        after = replace(
            _released(record),
            status=ExecutionStatus.FAILED,
            error=error,
            ended_at=now,
            due_at=None,
            failed_invocations=failed,
        )
        return ExecutionTransition(after, (completed, HistoryEvent(EventType.EXECUTION_FAILED)))
    if pause is None:
        pause = 0 if error.type == EXIT_ERROR.type else RETRY_INVOCATION_SECONDS
    due_at = _earliest(now + timedelta(seconds=pause), record.deadline_at)
    return ExecutionTransition(replace(_released(record), due_at=due_at, failed_invocations=failed), (completed,))


def refuse_ended(record: ExecutionRecord) -> None:
    """Raises ExecutionEndedError."""
    if record.status.is_terminal:
        raise ExecutionEndedError(f"the execution is {record.status}", execution_id=str(record.id), execution_status=str(record.status))


def refuse_open(record: ExecutionRecord) -> None:
    """Raises ExecutionNotEndedError."""
    if not record.status.is_terminal:
        raise ExecutionNotEndedError(f"the execution is {record.status}", execution_id=str(record.id), execution_status=str(record.status))


def is_past_deadline(record: ExecutionRecord, now: datetime) -> bool:
    """Whether an open execution must be timed out before anything else may happen to it."""
    return record.deadline_at is not None and record.deadline_at <= now and not record.status.is_terminal


def _released(record: ExecutionRecord) -> ExecutionRecord:
    return replace(record, claim_id=None, invocation_started_at=None)


def _earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return min(first, second)
