"""Signals: news for an execution by name, consumed by `wait_for_signal` or buffered until somebody waits."""

from uuid import UUID

from django.db import connection, transaction

from execution_engine.core.errors import ExecutionEndedError, InvalidInputError
from execution_engine.core.transitions import execution as executions
from execution_engine.journal import signals, store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.services import checks

MAX_NAME_CHARACTERS = 256


def send_signal(execution_id: UUID, name: str, payload_text: str | None, *, sent_by: str = "") -> None:
    """Completes the oldest open waiter for `name`, or keeps the signal for the next one.

    `payload_text` is JSON text. Raises `ExecutionNotFoundError`, `ExecutionEndedError`, `InvalidInputError`.
    """
    checks.check_payload(payload_text, "payload")
    checks.check_text(name, "name")
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        raise InvalidInputError(
            f"a signal's name has 1 to {MAX_NAME_CHARACTERS} characters", field="name", limit=MAX_NAME_CHARACTERS, value=len(name)
        )
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        executions.refuse_ended(locked.record)
        if executions.is_past_deadline(locked.record, locked.now):
            raise ExecutionEndedError("the execution has timed out", execution_id=str(execution_id), execution_status="TIMED_OUT")
        waiter = signals.waiting_for(cursor, execution_id, name)
        if waiter is None:
            signals.buffer(cursor, locked, name, payload_text, sent_by)
            return
        signals.complete_waiter(cursor, locked, waiter, payload_text)
    ring_after_commit()
