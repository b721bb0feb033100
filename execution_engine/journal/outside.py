"""What checkpoints from outside the process need: connections of their own, and one read of everything that decides about a call."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.clock import DatabaseClock
from execution_engine.core.errors import ExecutionBusyError
from execution_engine.core.records import OperationRecord
from execution_engine.journal import connections, replies, store
from execution_engine.journal.present import present
from execution_engine.journal.replies import CheckpointReply
from execution_engine.journal.rows import operation_from_row
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

LOCK_TIMEOUT_MS = 2_000
"""A caller waits this long for the row; then it is told to come again, as its client does by itself."""

MOST_IDLE = 16
"""Connections kept per process: as many as callers were there at once, but not above."""


class LockedClock(DatabaseClock):
    """A clock that stands at the moment after a lock was taken, so that everything in one call happens at the same time."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now

    def now(self) -> datetime:
        return self._now


@dataclass(frozen=True, slots=True)
class Look:
    """What a call found. `reply` is the one stored under its client token; if there is one, nothing else was read."""

    locked: Locked | None
    operations: dict[str, OperationRecord]
    reply: CheckpointReply | None = None


class Connections:
    """The idle connections of this process, last used first. As many can be open as there are callers at once: a server's threads."""

    def __init__(self) -> None:
        self._idle: deque[psycopg.Connection[Any]] = deque()
        self._pid = os.getpid()

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection in a transaction and in a pipeline: a statement that is not fetched travels with the next that is, COMMIT included.

        Raises `ExecutionBusyError` when the row stays locked.
        """
        connection = self._take()
        try:
            # Not `connection.transaction()`: in a pipeline it waits for the answers to BEGIN and to COMMIT alone, six round trips for two.
            with connection.pipeline():
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise ExecutionBusyError("the execution is being changed by somebody else; call again") from error
        finally:
            self._give_back(connection)

    @contextmanager
    def reading(self) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor outside of any transaction."""
        connection = self._take()
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> psycopg.Connection[Any]:
        if self._pid != os.getpid():
            self._idle, self._pid = deque(), os.getpid()  # those of the process that forked are its own
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if _is_usable(connection):
                return connection
            connection.close()
        # Every statement here names its rows by their keys, so one plan serves all calls; a new one took five times as long as running it.
        return connections.connect("outside", options=f"-c lock_timeout={LOCK_TIMEOUT_MS} -c plan_cache_mode=force_generic_plan")

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        """Keeps the connection as idle; one that an exception left inside its transaction rolls back first."""
        with suppress(psycopg.Error):
            connection.rollback()
        if connection.closed or len(self._idle) >= MOST_IDLE:
            connection.close()
        else:
            self._idle.append(connection)


def _is_usable(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server is still there: a server that went away has said so on the socket, so this costs no round trip."""
    if connection.closed:
        return False
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return not connection.closed


CONNECTIONS = Connections()
# Where the columns of `look_at_call` begin that are not the execution's.
_REPLY, _OPERATION = store.EXECUTION_WIDTH, store.EXECUTION_WIDTH + 2


def look(
    connection: psycopg.Connection[Any], execution_id: UUID, ids: Sequence[str], sent_seq: int, call: tuple[str | None, bytes]
) -> Look:
    """Locks the execution and reads everything that decides about the call: two statements in one round trip, the second under the lock.

    `call` is its client token and its digest. `locked` is None when there is no such execution.
    """
    client_token, digest = call
    connection.execute(statement("lock_execution"), {"id": execution_id})
    params = {"execution_id": execution_id, "ids": ids, "sent": sent_seq, "client_token": client_token}
    times = {"now": present(), "seconds": replies.KEPT_SECONDS}
    rows = connection.execute(statement("look_at_call"), {**params, **times}, binary=True).fetchall()
    if not rows:
        return Look(None, {})
    first = rows[0]
    if first[_REPLY] is not None:
        return Look(None, {}, replies.read(first[_REPLY], first[_REPLY + 1], digest))
    found = {row[_OPERATION]: operation_from_row(row[_OPERATION:]) for row in rows if row[_OPERATION] is not None}
    return Look(store.locked_from_row(first), found)


def due_operations(cursor: Cursor, execution_id: UUID, now: datetime) -> dict[str, OperationRecord]:
    """Operations whose timer is due, by id. The execution must be locked."""
    cursor.execute(statement("due_operations"), {"execution_id": execution_id, "now": now})
    return {row[0]: operation_from_row(row) for row in cursor.fetchall()}


def has_open_branches(cursor: Cursor, execution_id: UUID) -> bool:
    """Whether branches run. News in an answer then stays owed: another branch, which it concerns, may have looked before it came."""
    cursor.execute(statement("has_open_branches"), {"execution_id": execution_id})
    return bool(cursor.fetchone()[0])


def tell(cursor: Cursor, execution_id: UUID, wake_seq: int) -> None:
    """Notes that the answer about to be given tells the running invocation of everything up to `wake_seq`; its release relies on that."""
    cursor.execute(statement("tell"), {"id": execution_id, "seq": wake_seq})
