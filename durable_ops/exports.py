"""The list of executions as a file, streamed page by page: whatever the length, one page is in memory."""

import json
from collections.abc import Iterator
from typing import Any

from durable_ops.masking import masking_of
from durable_ops.permissions import Access
from durable_ops.texts.csv_cells import csv_lines
from execution_engine.selectors.executions import MAX_PAGE, ExecutionSummary, list_executions
from execution_engine.selectors.search import ExecutionFilters

LARGEST = 50_000
LOOKS = 2_000
"""Looks that find less than a page, as for a rare error, end here: twenty million executions back."""

COLUMNS = ("id", "name", "function", "version", "status", "state", "state_label")
COLUMNS += ("started", "ended", "duration", "attributes", "started_by")


def csv_file(filters: ExecutionFilters, access: Access) -> Iterator[str]:
    """A header and at most `LARGEST` executions, newest first; with a mark that spreadsheets know UTF-8 by."""
    return csv_lines(COLUMNS, (values.values() for values in _rows(filters, access)))


def json_lines(filters: ExecutionFilters, access: Access) -> Iterator[str]:
    """At most `LARGEST` objects, newest first, one a line."""
    return (json.dumps(values, ensure_ascii=False) + "\n" for values in _rows(filters, access))


def json_array(filters: ExecutionFilters, access: Access) -> Iterator[str]:
    """The same objects as one JSON array."""
    separator = "["
    for values in _rows(filters, access):
        yield separator + json.dumps(values, ensure_ascii=False)
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"


def _rows(filters: ExecutionFilters, access: Access) -> Iterator[dict[str, Any]]:
    cursor, left, masking = None, LARGEST, masking_of(access)
    for _ in range(LOOKS):
        page = list_executions(filters, cursor, limit=min(MAX_PAGE, left))
        yield from (_values(masking.of(item.function).summary(item)) for item in page.items)
        cursor, left = page.next_cursor, left - len(page.items)
        if cursor is None or left <= 0:
            return


def _values(item: ExecutionSummary) -> dict[str, Any]:
    """Keys as in `COLUMNS`; times ISO 8601 in UTC, duration in seconds."""
    ended = item.ended_at.isoformat(timespec="milliseconds") if item.ended_at else None
    times = {"started": item.started_at.isoformat(timespec="milliseconds"), "ended": ended}
    values = {"id": str(item.id), "state": item.state.code.value, "state_label": item.state.label, "attributes": dict(item.attributes)}
    values |= {"duration": round(item.duration.total_seconds(), 3), **times}
    return {key: values[key] if key in values else getattr(item, key) for key in COLUMNS}
