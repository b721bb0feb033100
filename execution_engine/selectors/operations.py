"""Operations of one execution: the tree without payloads, and one of them in full."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Func, IntegerField, Q
from django.db.models.functions import Now

from execution_engine.core.enums import OperationStatus
from execution_engine.models import Operation

T = TypeVar("T")
SHOWN = 2_000
"""Operations that one page or drawing takes; a larger execution is shown in windows."""


LEAST_CHARACTERS, FULL_LENGTH = 16, 64


class ByteLength(Func):
    """Bytes of a text without reading it: PostgreSQL knows the size of a value that is stored out of line."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation without payloads. `result_bytes` and `error_bytes` are None where there is none."""

    id: str
    type: str
    sub_type: str | None
    name: str | None
    parent_id: str | None
    status: str
    attempt: int
    callback_id: str | None
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    start_event: int
    result_bytes: int | None
    error_bytes: int | None
    read_at: datetime

    @property
    def title(self) -> str:
        return self.name or self.sub_type or self.type.title()

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def attempts(self) -> int:
        return attempts_begun(self.status, self.attempt)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """An operation at its depth in the tree of contexts; 0 is the handler's own level."""

    operation: OperationRow
    depth: int


@dataclass(frozen=True, slots=True)
class OperationDetail:
    """One operation with its texts: `payload` as the serdes wrote it, `error` and `options` as JSON text."""

    row: OperationRow
    payload: str | None
    error: str | None
    options: str | None


_COLUMNS = tuple(set(OperationRow.__dataclass_fields__) - {"result_bytes", "error_bytes", "read_at"})


def attempts_begun(status: str, ended: int) -> int:
    """A row counts attempts that have ended; one that is under way, or due, is one more."""
    return ended + (1 if status in (OperationStatus.STARTED, OperationStatus.READY) else 0)


class Ended(Enum):
    """How an operation ended, or that it has not, as a condition of its row."""

    NOT_YET = Q(ended_at__isnull=True)
    BADLY = Q(status__in=(OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED))


def list_operations(execution_id: UUID, *, after: int = 0, limit: int = SHOWN, ended: Ended | None = None) -> list[OperationRow]:
    """In order of start, those started after the history event `after`, of every status or `ended` so. One query."""
    found = _rows(execution_id).filter(ended.value if ended else Q(), start_event__gt=after).order_by("start_event", "id")
    return [OperationRow(**row) for row in found[:limit]]


def get_operation(execution_id: UUID, operation_id: str) -> OperationDetail | None:
    """By its id, or by the first 16 characters or more of it, as a drawing of many names them."""
    found = _rows(execution_id)
    is_short = LEAST_CHARACTERS <= len(operation_id) < FULL_LENGTH
    chosen = found.filter(id__startswith=operation_id) if is_short else found.filter(id=operation_id)
    row = chosen.order_by("id").values(*OperationRow.__dataclass_fields__, "payload", "error", "options").first()
    if row is None:
        return None
    texts = {name: row.pop(name) for name in ("payload", "error", "options")}
    return OperationDetail(OperationRow(**row), **texts)


def tree(operations: list[OperationRow]) -> list[TreeRow]:
    """Children below their context, siblings in order of start; an operation whose parent is not here stands at the top."""
    return [TreeRow(one, depth) for one, depth in nested(operations, lambda one: (one.id, one.parent_id))]


def get_retried_error(execution_id: UUID) -> str | None:
    """What the attempt raised that is tried again next, as JSON text; None when no step waits to be tried again."""
    found = Operation.objects.filter(execution_id=execution_id, status=OperationStatus.PENDING, error__isnull=False)
    return found.order_by("due_at", "id").values_list("error", flat=True).first()


def nested(operations: Sequence[T], place: Callable[[T], tuple[str, str | None]]) -> Iterator[tuple[T, int]]:
    """As in a tree, with depths; `place` tells an operation's id and its parent's. Siblings keep their order."""
    here = {place(one)[0] for one in operations}
    children: dict[str | None, list[T]] = defaultdict(list)
    for one in operations:
        parent = place(one)[1]
        children[parent if parent in here else None].append(one)
    # Without recursion: contexts may be nested deeper than Python's stack.
    stack = [(one, 0) for one in reversed(children[None])]
    while stack:
        operation, depth = stack.pop()
        yield operation, depth
        stack.extend((child, depth + 1) for child in reversed(children.get(place(operation)[0], [])))


def _rows(execution_id: UUID) -> Any:
    found = Operation.objects.filter(execution_id=execution_id)
    sizes = {"result_bytes": ByteLength("payload"), "error_bytes": ByteLength("error")}
    return found.annotate(**sizes, read_at=Now()).values(*_COLUMNS, *sizes, "read_at")
