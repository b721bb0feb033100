"""Pause and resume; `services/redrive.py` and `services/removal.py` hold the other repairs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotPausedError
from execution_engine.core.transitions import execution as executions
from execution_engine.core.transitions import pausing as moves
from execution_engine.journal import pausing, store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.services import checks

MAX_PAUSED = timedelta(days=366)
"""AWS extends an execution's timeout by its pauses for at most this long."""


def pause_execution(execution_id: UUID, *, reason: str = "", pauses_timeout: bool = False) -> ExecutionStatus:
    """Stops invocations until `resume_execution`; timers and callbacks still complete. Pausing again changes nothing.

    Answers PAUSED, or PAUSING while an invocation is under way: it goes on to its next checkpoint. With `pauses_timeout` the
    execution's own timeout stands still meanwhile. Raises `ExecutionNotFoundError`, `ExecutionEndedError`.
    """
    checks.check_text(reason, "reason")
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        record = locked.record
        executions.refuse_ended(record)
        if record.status is not ExecutionStatus.RUNNING:
            return record.status
        details: dict[str, Any] = {"PauseRequestTimestamp": locked.now.isoformat()}
        if reason:
            details["Reason"] = reason
        deadline_at = record.deadline_at
        if pauses_timeout:
            details["ExecutionTimeoutPaused"] = True
        if pauses_timeout and deadline_at is not None:
            details["RemainingSeconds"] = (deadline_at - locked.now).total_seconds()
            deadline_at = None
        pausing.write_pause(cursor, locked, details, deadline_at)
        moved = moves.request(replace(record, deadline_at=deadline_at), store.nearest_timer(cursor, execution_id), details)
        store.write_transition(cursor, locked, moved)
        return moved.record.status


def resume_execution(execution_id: UUID, *, reason: str = "") -> None:
    """Lets a paused execution go on, at once when it was cut short or something completed meanwhile.

    Raises `ExecutionNotFoundError`, `ExecutionEndedError`, `ExecutionNotPausedError`.
    """
    checks.check_text(reason, "reason")
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        record = locked.record
        executions.refuse_ended(record)
        if record.status is ExecutionStatus.RUNNING:
            raise ExecutionNotPausedError("the execution is not paused", execution_id=str(execution_id))
        asked = pausing.read_pause(cursor, execution_id)
        details = {"ResumeRequestTimestamp": locked.now.isoformat(), **({"Reason": reason} if reason else {})}
        deadline_at = _deadline_after(record.deadline_at, asked, locked.now)
        pausing.write_pause(cursor, locked, None, deadline_at)
        record = replace(record, deadline_at=deadline_at)
        moved = moves.resume(record, store.nearest_timer(cursor, execution_id), locked.now, details)
        store.write_transition(cursor, locked, moved)
    ring_after_commit()


def _deadline_after(deadline_at: datetime | None, asked: dict[str, Any], now: datetime) -> datetime | None:
    """What was left of the timeout begins to run again."""
    if "RemainingSeconds" not in asked:
        return deadline_at
    paused_at = datetime.fromisoformat(asked["PauseRequestTimestamp"])
    beyond = max(timedelta(0), now - paused_at - MAX_PAUSED)
    return now + timedelta(seconds=asked["RemainingSeconds"]) - beyond
