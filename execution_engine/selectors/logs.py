"""What handlers of one execution said, and how each of its operations ended as an event of the same log."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from execution_engine.models import LogLine
from execution_engine.selectors.operations import list_operations

PAGE = 200
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line; `operation_id` None is the handler itself."""

    id: int
    operation_id: str | None
    attempt: int | None
    at: datetime
    level: str
    logger: str
    message: str


@dataclass(frozen=True, slots=True)
class OperationEnded:
    """An operation's end as a log event: how long, how many attempts, how many bytes its checkpoint holds."""

    operation_id: str
    name: str | None
    type: str
    status: str
    attempts: int
    started_at: datetime
    ended_at: datetime
    duration: timedelta
    result_bytes: int | None
    error_bytes: int | None
    start_event: int


def list_lines(
    execution_id: UUID, *, operation_id: str | None = None, text: str = "", level: str = "", after: int = 0, limit: int = PAGE
) -> list[LogRow]:
    """In the order they were said, after the line `after`; `text` in any case within the message, `level` at least. One query."""
    found = LogLine.objects.filter(execution_id=execution_id, id__gt=after)
    if operation_id is not None:
        found = found.filter(operation_id=operation_id)
    if text:
        found = found.filter(message__icontains=text)
    if level in LEVELS:
        found = found.filter(level__in=LEVELS[LEVELS.index(level) :])
    return [LogRow(**row) for row in found.order_by("id").values(*LogRow.__dataclass_fields__)[:limit]]


def last_lines(execution_id: UUID, *, limit: int) -> list[LogRow]:
    """The newest ones, in the order they were said. One query."""
    found = LogLine.objects.filter(execution_id=execution_id).order_by("-id").values(*LogRow.__dataclass_fields__)[:limit]
    return [LogRow(**row) for row in reversed(found)]


def last_line_id(execution_id: UUID) -> int:
    """0 for none; tells whether anything was said since a page was made."""
    return LogLine.objects.filter(execution_id=execution_id).order_by("-id").values_list("id", flat=True).first() or 0


def operation_ends(execution_id: UUID, *, after: int = 0, limit: int = PAGE) -> Iterator[OperationEnded]:
    """Of the operations that started after the history event `after`, in order of start; open ones are left out."""
    for row in list_operations(execution_id, after=after, limit=limit):
        if row.ended_at is not None:
            yield OperationEnded(
                operation_id=row.id,
                name=row.name,
                type=row.type,
                status=row.status,
                attempts=row.attempt,
                started_at=row.started_at,
                ended_at=row.ended_at,
                duration=row.ended_at - row.started_at,
                result_bytes=row.result_bytes,
                error_bytes=row.error_bytes,
                start_event=row.start_event,
            )
