"""Lines of handlers, written in batches without lock or sequence: they stand beside the history, and some may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.journal.statements import statement

FORGOTTEN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Line:
    """`at` is the worker's clock, UTC."""

    execution_id: UUID
    at: datetime
    level: str
    logger: str
    message: str
    operation_id: str | None = None
    attempt: int | None = None


def keep(connection: psycopg.Connection[Any], lines: Sequence[Line], most: int) -> None:
    """Stores at most `most` lines per execution; the last one says that there were more."""
    params = {
        "executions": [line.execution_id for line in lines],
        "operations": [line.operation_id for line in lines],
        "attempts": [line.attempt for line in lines],
        "times": [line.at for line in lines],
        "levels": [line.level for line in lines],
        "loggers": [line.logger for line in lines],
        "messages": [line.message for line in lines],
        "most": most,
        "notice": f"{most:,} lines are kept of an execution; whatever follows is not.",
    }
    connection.execute(statement("keep_lines"), params)


def forget_old(connection: psycopg.Connection[Any], days: int) -> None:
    connection.execute(statement("forget_old_lines"), {"limit": FORGOTTEN_AT_ONCE, "days": days})
