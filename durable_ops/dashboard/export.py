"""Lists as files, streamed page by page: whatever the length, one page is in memory."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from durable_ops.dashboard.columns import EXPORTED, exported
from execution_engine.selectors.executions import MAX_PAGE, list_executions
from execution_engine.selectors.search import ExecutionFilters

LARGEST = 50_000
LOOKS = 2_000
"""Looks that find less than a page, as for a rare error, end here: twenty million executions back."""


class _Echo:
    """What a csv.writer takes for a file: it hands back each line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(filters: ExecutionFilters) -> Iterator[str]:
    """A header and at most `LARGEST` executions, newest first; with a mark that spreadsheets know UTF-8 by."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(EXPORTED))
    for values in _rows(filters):
        yield str(writer.writerow([_cell(value) for value in values.values()]))


def json_parts(filters: ExecutionFilters) -> Iterator[str]:
    """A JSON array of at most `LARGEST` objects, newest first."""
    separator = "["
    for values in _rows(filters):
        yield separator + json.dumps(values, ensure_ascii=False)
        separator = ",\n"
    yield "]\n" if separator != "[" else "[]\n"


def _rows(filters: ExecutionFilters) -> Iterator[dict[str, Any]]:
    cursor, left = None, LARGEST
    for _ in range(LOOKS):
        page = list_executions(filters, cursor, limit=min(MAX_PAGE, left))
        yield from map(exported, page.items)
        cursor, left = page.next_cursor, left - len(page.items)
        if cursor is None or left <= 0:
            return


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is kept a text."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
