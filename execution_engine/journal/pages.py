"""An execution's operations in pages, for callers outside the process: in order of start, bounded in number and in bytes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from execution_engine.core import wire
from execution_engine.core.records import OperationRecord
from execution_engine.journal import tokens
from execution_engine.journal.rows import operation_from_row
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor
from execution_engine.journal.tokens import Marker

PAGE_ITEMS = 100
MAX_PAGE_ITEMS = 1000
PAGE_BYTES = 5 * 1024 * 1024
"""Of payloads and errors: what AWS puts into an envelope or an answer, whose limit is 6 MB."""


def cut(
    execution_id: UUID, records: Sequence[OperationRecord], now: datetime, *, max_items: int = MAX_PAGE_ITEMS
) -> tuple[tuple[OperationRecord, ...], str | None]:
    """As many of the records, in order of start, as fit on a page, and the marker behind which the rest follows, None if there is none.

    The rest is read later, as it is then, together with whatever else stands behind the marker: readers merge operations by id.
    """
    size = 0
    for number, record in enumerate(records):
        if number and (number >= max_items or size >= PAGE_BYTES):
            marker = Marker(execution_id, records[number - 1].start_event)
            return tuple(records[:number]), tokens.issue_marker(marker, now)
        size += len(record.payload or "") + (0 if record.error is None else len(record.error.data or "") + len(record.error.message or ""))
    return tuple(records), None


def read(
    cursor: Cursor, execution_id: UUID, started_at: datetime, now: datetime, *, after: int | None, max_items: int
) -> tuple[tuple[OperationRecord, ...], str | None]:
    """The page after the operation that event `after` started. The first page (None) begins with the execution's own operation."""
    head: list[OperationRecord] = []
    if after is None:
        cursor.execute(statement("read_input"), {"id": execution_id})
        head = [wire.execution_operation(str(execution_id), started_at, cursor.fetchone()[0])]
    params = {"execution_id": execution_id, "after": after or 0, "limit": max_items, "bytes": PAGE_BYTES}
    cursor.execute(statement("state_page"), params)
    rows = cursor.fetchall()
    page, marker = cut(execution_id, [*head, *(operation_from_row(row) for row in rows)], now, max_items=max_items)
    if marker is None and rows and rows[0][17] > len(rows):
        marker = tokens.issue_marker(Marker(execution_id, rows[-1][16]), now)
    return page, marker
