"""CSV rows as inputs of executions."""

import csv
import io
import re
from pathlib import Path
from typing import Any

from durable_ops.texts import json_text

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class CsvError(ValueError):
    """The file is no usable table; the message names the row."""


def read_inputs(path: Path) -> list[str]:
    """The input of each row as JSON text: an object with the header's names as keys.

    The whole file is checked before anything is returned, so that a broken row starts nothing. Empty lines are skipped.
    Raises CsvError, OSError.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CsvError(f"not UTF-8 at byte {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise CsvError(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise CsvError("has no header")
    header = _checked_header(rows[0][1])
    return [_input(header, row, line) for line, row in rows[1:]]


def _checked_header(names: list[str]) -> list[str]:
    header = [name.strip() for name in names]
    if not all(header):
        raise CsvError("a column has no name")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise CsvError(f"column {twice[0]!r} stands twice")
    return header


def _input(header: list[str], row: list[str], line: int) -> str:
    if len(row) != len(header):
        raise CsvError(f"line {line} has {len(row)} cells, the header {len(header)}")
    for cell in row:
        problem = json_text.text_problem(cell)
        if problem:
            raise CsvError(f"line {line} holds {problem}")
    return json_text.compact({name: _value(cell) for name, cell in zip(header, row, strict=True)})


def _value(cell: str) -> Any:
    text = cell.strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        return cell
    try:
        return json_text.parse(text)
    except json_text.JsonTextError:  # beyond what JSON readers hold: a text keeps every digit
        return cell
