"""Operations of one execution: the tree without payloads, and one of them in full."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Func, IntegerField
from django.db.models.functions import Now

from execution_engine.core.enums import OperationStatus
from execution_engine.models import Operation

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


def list_operations(execution_id: UUID, *, after: int = 0, limit: int = SHOWN) -> list[OperationRow]:
    """In order of start, those started after the history event `after`. One query."""
    found = _rows(execution_id).filter(start_event__gt=after).order_by("start_event", "id")
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
    here = {one.id for one in operations}
    children: dict[str | None, list[OperationRow]] = defaultdict(list)
    for one in operations:
        children[one.parent_id if one.parent_id in here else None].append(one)
    return list(_walk(children))


def _walk(children: dict[str | None, list[OperationRow]]) -> Iterator[TreeRow]:
    """Without recursion: contexts may be nested deeper than Python's stack."""
    stack = [(one, 0) for one in reversed(children[None])]
    while stack:
        operation, depth = stack.pop()
        yield TreeRow(operation, depth)
        stack.extend((child, depth + 1) for child in reversed(children.get(operation.id, [])))


def _rows(execution_id: UUID) -> Any:
    found = Operation.objects.filter(execution_id=execution_id)
    sizes = {"result_bytes": ByteLength("payload"), "error_bytes": ByteLength("error")}
    return found.annotate(**sizes, read_at=Now()).values(*_COLUMNS, *sizes, "read_at")
