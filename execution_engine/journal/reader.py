"""Loads operations together with the sequence they belong to, always from one snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.records import OperationRecord
from execution_engine.journal.rows import operation_from_row
from execution_engine.journal.statements import statement


@dataclass(slots=True)
class Loaded:
    wake_seq: int
    now: datetime
    operations: dict[str, OperationRecord]


def load(connection: psycopg.Connection[Any], ids: Sequence[UUID], now: datetime | None = None) -> dict[UUID, Loaded]:
    """Every operation of the executions, in order of start. An execution that is gone has no entry."""
    return _collect(connection, "load_operations", {"ids": list(ids), "now": now})


def load_changed(connection: psycopg.Connection[Any], known: Mapping[UUID, int], now: datetime | None = None) -> dict[UUID, Loaded]:
    """The operations whose `wake_seq` is above what is known of their execution."""
    return _collect(connection, "changed_operations", {"ids": list(known), "known": list(known.values()), "now": now})


def _collect(connection: psycopg.Connection[Any], name: str, params: Mapping[str, Any]) -> dict[UUID, Loaded]:
    found: dict[UUID, Loaded] = {}
    for row in connection.execute(statement(name), params, binary=True):
        loaded = found.get(row[0])
        if loaded is None:
            loaded = found[row[0]] = Loaded(row[1], row[2], {})
        if row[3] is not None:
            record = operation_from_row(row[3:])
            loaded.operations[record.id] = record
    return found
