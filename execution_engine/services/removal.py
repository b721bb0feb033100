"""Delete an execution before its retention is over."""

from uuid import UUID

from django.db import connection, transaction

from execution_engine.journal import removal, store


def delete_execution(execution_id: UUID) -> None:
    """Removes an ended execution with its operations, history and signals; its name is free again.

    Raises `ExecutionNotFoundError`, `ExecutionNotEndedError`, `ExecutionNeededError` (a parent waits for it).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        removal.delete(cursor, store.lock(cursor, execution_id))
