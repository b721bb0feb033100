"""Executions as a file, streamed page by page: whatever the length, one page is in memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from durable_ops.permissions import Access
from durable_ops.selectors.masking import Masking, masking_of
from durable_ops.texts.csv_cells import csv_lines
from execution_engine.selectors.executions import MAX_PAGE, ExecutionSummary, list_executions
from execution_engine.selectors.search import ExecutionFilters

LARGEST = 50_000
LOOKS = 2_000
"""Looks that find less than a page, as for a rare error, end here: twenty million executions back."""

COLUMNS: tuple[str, ...] = ("id", "name", "function", "version", "status", "state", "state_label")
COLUMNS += ("started", "ended", "duration", "attributes", "started_by")

Row = dict[str, Any]
"""Keys as in `COLUMNS`; JSON values, times ISO 8601 in UTC, the duration in seconds."""


def lines_of(rows: Iterable[Row], form: str) -> Iterator[str]:
    """Of a file: csv with a header and a mark that spreadsheets know UTF-8 by, json (one array), jsonl (an object a line)."""
    if form == "csv":
        return csv_lines(COLUMNS, (row.values() for row in rows))
    return _array(rows) if form == "json" else (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _array(rows: Iterable[Row]) -> Iterator[str]:
    separator = "["
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"


def matching_rows(filters: ExecutionFilters, access: Access) -> Iterator[Row]:
    """What the list shows whoever has this access, at most `LARGEST` executions, newest first."""
    cursor, left, masking = None, LARGEST, masking_of(access)
    for _ in range(LOOKS):
        page = list_executions(filters, cursor, limit=min(MAX_PAGE, left))
        yield from readable([row_of(item) for item in page.items], masking)
        cursor, left = page.next_cursor, left - len(page.items)
        if cursor is None or left <= 0:
            return


def row_of(item: ExecutionSummary) -> Row:
    """Unmasked."""
    ended = item.ended_at.isoformat(timespec="milliseconds") if item.ended_at else None
    times = {"started": item.started_at.isoformat(timespec="milliseconds"), "ended": ended}
    state = {"state": item.state.code.value, "state_label": item.state.label}
    values: dict[str, Any] = {"id": str(item.id), **state, "attributes": dict(item.attributes)}
    values |= {"duration": round(item.duration.total_seconds(), 3), **times}
    return {key: values[key] if key in values else getattr(item, key) for key in COLUMNS}


def readable(rows: Sequence[Row], masking: Masking) -> Iterator[Row]:
    """A page of them as its reader may see it, keys in the order of `COLUMNS`."""
    each = masking.of_each({UUID(row["id"]): row["function"] for row in rows if row["attributes"]})
    for row in rows:
        masks = each.get(UUID(row["id"])) or masking.of(row["function"])
        yield {**{key: row[key] for key in COLUMNS}, "attributes": dict(masks.attributes(row["attributes"]))}
