"""Answers to callbacks from outside. The first terminal answer wins; later ones are told which it was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError
from execution_engine.core.records import ErrorObject, OperationRecord, Transition
from execution_engine.core.transitions import callback
from execution_engine.core.transitions import execution as executions
from execution_engine.journal import store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.store import Locked
from execution_engine.services import checks

Move = Callable[[OperationRecord, datetime], Transition]


def succeed_callback(callback_id: str, payload_text: str | None) -> None:
    """Completes the callback with a text, stored exactly as given. Raises `CallbackNotFoundError`, `CallbackCompletedError`."""
    checks.check_payload(payload_text, "result")
    _answer(callback_id, lambda record, now: callback.complete(record, now, payload=payload_text))


def fail_callback(callback_id: str, error: ErrorObject) -> None:
    """Completes the callback with a failure. Raises as `succeed_callback`."""
    checks.check_error(error)
    _answer(callback_id, lambda record, now: callback.complete(record, now, error=error))


def heartbeat_callback(callback_id: str) -> None:
    """Restarts the heartbeat timer: no event, no invocation. Raises as `succeed_callback`."""
    with transaction.atomic():
        locked, record = _lock(callback_id)
        move = callback.heartbeat(record, locked.now)
        with connection.cursor() as cursor:
            store.write(cursor, locked, locked.record, (), {record.id: move.record})


def _answer(callback_id: str, move: Move) -> None:
    """Lock, read, compare, write, wake: three statements under the execution's lock, in that order."""
    with transaction.atomic():
        locked, record = _lock(callback_id)
        moved = move(record, locked.now)
        after = store.wake(locked.record, locked.now)
        with connection.cursor() as cursor:
            changed = replace(moved.record, wake_seq=after.wake_seq)
            store.write(cursor, locked, after, moved.events, {changed.id: changed})
    ring_after_commit()


def _lock(callback_id: str) -> tuple[Locked, OperationRecord]:
    """Locks the execution, then reads the operation: what was read before the wait for a lock could be stale."""
    checks.check_text(callback_id, "callback_id")
    with connection.cursor() as cursor, connection.connection.pipeline():  # BEGIN, lock and read in one round trip
        found = store.lock_callback(cursor, callback_id)
    if found is None:
        raise CallbackNotFoundError("there is no such callback", callback_id=callback_id[:100])
    locked, record = found
    status = locked.record.status
    if executions.is_past_deadline(locked.record, locked.now):
        raise CallbackCompletedError("the callback's execution has timed out", callback_status="TIMED_OUT")
    if status.is_terminal and record.status is OperationStatus.STARTED:
        raise CallbackCompletedError(f"the callback's execution is {status}", callback_status=str(status), ended_at=locked.record.ended_at)
    return locked, record
