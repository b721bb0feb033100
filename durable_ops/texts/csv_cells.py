"""Cells of CSV files that people open in spreadsheets."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What a formula may begin with; the last four are the wide ones of Chinese and Japanese spreadsheets."""


class _Echo:
    """What a csv.writer takes for a file: it hands back each line."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Lines of a file, one by one, with a mark that spreadsheets know UTF-8 by."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(list(header)))
    for row in rows:
        yield str(writer.writerow([safe_cell(value) for value in row]))


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is kept a text; mappings and lists become JSON."""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in FORMULA:
        return f"'{value}"
    return value
