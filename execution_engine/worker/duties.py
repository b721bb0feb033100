"""Recurring duties: rows with `due_at`, claimed like executions, done by whichever worker looks first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from execution_engine.conf import engine_settings
from execution_engine.journal import logs, pausing, redrive, removal, replies, unserved
from execution_engine.journal.statements import statement

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """Recurring work of at most a second, because it shares the keeper's thread; what `may_block` (mails, long batches) has another thread.

    A turn that takes longer than `every_seconds` overlaps with the next one in another process; both must then do right.
    """

    every_seconds: int
    perform: Callable[[psycopg.Connection[Any]], object]
    may_block: bool = False


def _forget_old_workers(connection: psycopg.Connection[Any]) -> None:
    connection.execute(statement("forget_old_workers"))


def _purge(connection: psycopg.Connection[Any]) -> None:
    removed = removal.purge(connection)
    if removed:
        logger.info("purged %d executions past their retention", removed)


def _forget_old_lines(connection: psycopg.Connection[Any]) -> None:
    logs.forget_old(connection, engine_settings().LOG_DAYS)


DUTIES = {
    "forget-old-lines": Duty(60, _forget_old_lines),
    "forget-old-workers": Duty(3600, _forget_old_workers),
    "forget-old-replies": Duty(10, replies.forget_old),
    "look-after-paused": Duty(1, pausing.look),
    "redrive-children": Duty(1, redrive.look),
    "purge": Duty(10, _purge),
    "fire-unserved-timers": Duty(5, unserved.fire_due),
}


def register(name: str, duty: Duty) -> None:
    """Adds a duty of another app, from its `ready()`."""
    DUTIES[name] = duty


def do_due(connection: psycopg.Connection[Any], *, blocking: bool) -> None:
    """Does each duty of this kind that is due and that nobody else has taken. One that fails is tried again at its next time."""
    for name, duty in DUTIES.items():
        if duty.may_block != blocking:
            continue
        params = {"names": [name], "seconds": duty.every_seconds}
        if connection.execute(statement("claim_duty"), params).fetchone() is not None:
            _perform(name, duty, connection)


def _perform(name: str, duty: Duty, connection: psycopg.Connection[Any]) -> None:
    """A duty that always fails must not keep those behind it from their turn. Raises only for a lost connection."""
    try:
        duty.perform(connection)
    except Exception:
        if connection.closed:
            raise
        logger.exception("duty %s failed; it is tried again at its next time", name)


def ensure(connection: psycopg.Connection[Any]) -> None:
    for name in DUTIES:
        connection.execute(statement("ensure_duty"), {"name": name})
