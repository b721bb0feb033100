"""Turns a handler's outcome (value, error, suspension, failed invocation) into the entry that ends its invocation."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus, InvocationStatus
from execution_engine.core.records import ErrorObject, ExecutionRecord
from execution_engine.core.transitions import execution as executions
from execution_engine.core.transitions.execution import ExecutionTransition
from execution_engine.journal.lane import Entry, Lane, Release
from execution_engine.journal.rows import error_text
from execution_engine.sdk.runner import HandlerOutcome

_ENDS = {InvocationStatus.SUCCEEDED: ExecutionStatus.SUCCEEDED, InvocationStatus.FAILED: ExecutionStatus.FAILED}


def settle(record: ExecutionRecord, lane: Lane, outcome: HandlerOutcome, request_id: UUID, *, is_final: bool = False) -> Entry:
    """The entry that writes InvocationCompleted and, if the execution is over, its end, and that gives the claim back.

    `is_final`: the function is not durable, and so not tried again.
    """
    now = lane.clock.now()
    if outcome.invocation_failed:
        assert outcome.error is not None
        return failed(record, outcome.error, now, request_id, is_final=is_final, pause=outcome.pause)
    if outcome.status is InvocationStatus.PENDING and lane.is_cut:
        # A pause cut it short: it is owed again, at once if somebody resumed meanwhile.
        moved = executions.suspend(record, now, now, request_id)
        return Entry([], now, events=moved.events, release=Release(due_at=now, failed_invocations=0, is_owed=True))
    if outcome.status is InvocationStatus.PENDING:
        nearest = lane.nearest_timer()
        told = replace(record, wake_seq=lane.told_seq, told_seq=lane.told_seq)
        moved = executions.suspend(told, nearest, now, request_id)
        return Entry([], now, events=moved.events, release=Release(due_at=nearest, failed_invocations=0))
    if outcome.result is not None and (error := too_large(outcome.result, engine_settings().MAX_PAYLOAD_BYTES)) is not None:
        outcome = HandlerOutcome(InvocationStatus.FAILED, error=error)
    status = _ENDS[outcome.status]
    good = replace(record, failed_invocations=0)
    moved = executions.end(good, status, now, result=outcome.result, error=outcome.error, request_id=request_id)
    return _ending(moved, now)


def too_large(result: str, limit: int) -> ErrorObject | None:
    """Lambda's error for an answer above its limit, with this installation's limit and where to change it."""
    if len(result) * 4 <= limit or (size := len(result.encode("utf-8", "surrogatepass"))) <= limit:
        return None
    message = f"the result has {size} bytes; the limit is {limit} (DURABLE_EXECUTION['MAX_PAYLOAD_BYTES'])"
    return ErrorObject(message=message, type="Function.ResponseSizeTooLarge")


def failed(
    record: ExecutionRecord,
    error: ErrorObject,
    now: datetime,
    request_id: UUID | None,
    *,
    is_final: bool = False,
    pause: int | None = None,
) -> Entry:
    """The entry of a failed invocation: it is tried again later, or ends the execution after five failures in a row."""
    moved = executions.fail_invocation(record, error, now, request_id, is_final=is_final, pause=pause)
    if moved.record.status.is_terminal:
        return _ending(moved, now)
    release = Release(due_at=moved.record.due_at, failed_invocations=moved.record.failed_invocations, is_owed=True)
    return Entry([], now, events=moved.events, release=release)


def parked(record: ExecutionRecord, error: ErrorObject, now: datetime) -> Entry:
    """The entry after five deaths in a row, which a claim found: the end of the last dead invocation is written, so only FAILED follows."""
    moved = executions.end(replace(record, invocation_started_at=None), ExecutionStatus.FAILED, now, error=error)
    return _ending(moved, now)


def untouched(lane: Lane) -> Entry:
    """The entry for a timer that woke nobody: it gives the claim back without an invocation and without an event."""
    return Entry([], lane.clock.now(), release=Release(due_at=lane.nearest_timer()))


def _ending(moved: ExecutionTransition, now: datetime) -> Entry:
    record = moved.record
    release = Release(
        status=str(record.status),
        result=record.result,
        error=error_text(record.error),
        failed_invocations=record.failed_invocations,
    )
    return Entry([], now, events=moved.events, release=release)
