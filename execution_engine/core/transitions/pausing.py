"""Pause and resume, asked for from outside: RUNNING -> PAUSING -> PAUSED -> RUNNING.

PAUSING lasts while an invocation is under way: it unwinds at its next checkpoint, whose updates stay. Timers, callbacks and the
execution's own deadline go on while paused; nothing is invoked.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.records import ExecutionRecord, HistoryEvent
from execution_engine.core.transitions.execution import ExecutionTransition, refuse_ended


def request(record: ExecutionRecord, nearest_timer: datetime | None, details: Mapping[str, Any]) -> ExecutionTransition:
    """Of a RUNNING execution. Raises `ExecutionEndedError`."""
    refuse_ended(record)
    if record.claim_id is not None:
        return ExecutionTransition(replace(record, status=ExecutionStatus.PAUSING), ())
    return settle(record, nearest_timer, details)


def settle(record: ExecutionRecord, nearest_timer: datetime | None, details: Mapping[str, Any]) -> ExecutionTransition:
    """No invocation is left: from here on the execution is paused."""
    after = replace(record, status=ExecutionStatus.PAUSED, due_at=_first(nearest_timer, record.deadline_at))
    return ExecutionTransition(after, (HistoryEvent(EventType.EXECUTION_PAUSED, None, details),))


def resume(record: ExecutionRecord, nearest_timer: datetime | None, now: datetime, details: Mapping[str, Any]) -> ExecutionTransition:
    """Of a PAUSED or PAUSING execution. What was cut short or completed meanwhile makes an invocation due at once.

    A pause that was never settled leaves no trace in the history. Raises `ExecutionEndedError`.
    """
    refuse_ended(record)
    if record.status is ExecutionStatus.PAUSING:
        due_at = now if record.claim_id is None else record.due_at
        return ExecutionTransition(replace(record, status=ExecutionStatus.RUNNING, due_at=due_at), ())
    is_owed = record.wake_seq != record.told_seq
    due_at = now if is_owed else _first(nearest_timer, record.deadline_at)
    after = replace(record, status=ExecutionStatus.RUNNING, due_at=due_at)
    return ExecutionTransition(after, (HistoryEvent(EventType.EXECUTION_RESUMED, None, details),))


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
