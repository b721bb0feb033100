"""The attempts of one step, from its history: when each began, how it ended, when the next one was due."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from execution_engine.core.enums import EventType
from execution_engine.models import Event

SHOWN = 50
_STEP = (EventType.STEP_STARTED, EventType.STEP_SUCCEEDED, EventType.STEP_FAILED)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt. `ended_at` is None while it is under way; `due_at` is when the next one was due, None after the last.

    `number` is None while the attempt is under way. `error` is the wire's JSON text, for attempts that were tried again; the error of the
    last one is kept with the operation.
    """

    started_at: datetime
    ended_at: datetime | None = None
    number: int | None = None
    failed: bool = False
    due_at: datetime | None = None
    error: str | None = None

    @property
    def duration(self) -> timedelta | None:
        return None if self.ended_at is None else self.ended_at - self.started_at


def list_attempts(execution_id: UUID, operation_id: str, *, since: int, limit: int = SHOWN) -> list[AttemptRow]:
    """The newest `limit` attempts, newest first. `since` is the event with which the operation began. One query.

    An attempt that was cut short by a death and repeated by another worker counts as one, because it began once.
    """
    found = Event.objects.filter(execution_id=execution_id, operation_id=operation_id, type__in=_STEP, event_id__gte=since)
    rows = list(found.order_by("-event_id").values("type", "at", "details", "error")[: 2 * limit])
    attempts: list[AttemptRow] = []
    end: Mapping[str, Any] | None = None
    for row in rows:
        if row["type"] != EventType.STEP_STARTED:
            end = row
            continue
        attempts.append(AttemptRow(row["at"]) if end is None else _ended(row["at"], end))
        end = None
    return attempts


def _ended(started_at: datetime, end: Mapping[str, Any]) -> AttemptRow:
    retry = json.loads(end["details"] or "{}").get("RetryDetails", {})
    delay = retry.get("NextAttemptDelaySeconds")
    return AttemptRow(
        started_at=started_at,
        ended_at=end["at"],
        number=retry.get("CurrentAttempt"),
        failed=end["type"] == EventType.STEP_FAILED,
        due_at=end["at"] + timedelta(seconds=delay) if delay else None,
        error=end["error"],
    )
