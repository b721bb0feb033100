"""An open execution continues with another version of its function.

Whoever runs it now loses the claim: what was not recorded is done again, at least once, by the code of the new version.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.records import ExecutionRecord, HistoryEvent
from execution_engine.core.transitions.execution import ExecutionTransition, invocation_completed, refuse_ended


def move(record: ExecutionRecord, version: str, now: datetime, request_id: UUID | None, details: Mapping[str, Any]) -> ExecutionTransition:
    """RUNNING is due at once; PAUSING is settled by the next look at pauses, as nobody runs it any more; PAUSED stays.

    An invocation is owed. Raises `ExecutionEndedError`.
    """
    refuse_ended(record)
    events: tuple[HistoryEvent, ...] = (HistoryEvent(EventType.EXECUTION_MOVED, None, details),)
    if record.claim_id is not None and record.invocation_started_at is not None:
        events = (invocation_completed(record, request_id, now), *events)
    is_running = record.status is ExecutionStatus.RUNNING
    after = replace(
        record,
        version=version,
        claim_id=None,
        invocation_started_at=None,
        failed_invocations=0,
        wake_seq=record.wake_seq + 1,
        due_at=now if is_running else record.due_at,
    )
    return ExecutionTransition(after, events)
