"""Histories from the database, over Django's connection: what plans, the deploy check and `pull_execution` rehearse."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.identifiers import execution_arn
from execution_engine.invocation.rehearsal.history import History
from execution_engine.journal.rows import error_from_text, operation_from_row
from execution_engine.journal.statements import statement
from execution_engine.models import Execution

_SEQUENCES = ("event_seq", "checkpoint_seq", "wake_seq")
_COLUMNS = ("id", "function", "version", "name", "status", "started_at", "input", "result", "error", "seed", *_SEQUENCES)


@dataclass(frozen=True, slots=True)
class Stored:
    """A history, and the sequences that tell whether the execution went on since."""

    history: History
    sequences: tuple[int, int, int]


def read(execution_id: UUID) -> Stored:
    """Takes no lock: the row is read first, so the operations may be newer than it, never older.

    Raises `ExecutionNotFoundError`.
    """
    row = Execution.objects.filter(id=execution_id).values(*_COLUMNS).first()
    if row is None:
        raise ExecutionNotFoundError(f"there is no execution {execution_id}", execution_id=str(execution_id))
    with connection.cursor() as cursor:
        cursor.execute(statement("all_operations"), {"execution_id": execution_id})
        operations = [operation_from_row(found) for found in cursor.fetchall()]
    settings = engine_settings()
    history = History(
        arn=execution_arn(settings.REGION, settings.ACCOUNT, row["function"], row["version"], row["name"], row["id"]),
        id=row["id"],
        function=row["function"],
        started_at=row["started_at"],
        status=ExecutionStatus(row["status"]),
        operations=operations,
        input=row["input"],
        result=row["result"],
        error=error_from_text(row["error"]),
        seed=row["seed"],
        version=row["version"],
    )
    return Stored(history, (row["event_seq"], row["checkpoint_seq"], row["wake_seq"]))
