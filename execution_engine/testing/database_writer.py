"""The journal writer of one thread on Django's connection: what is submitted is flushed before `submit` returns.

It lives inside the test's own transaction, which an ordinary `TestCase` rolls back, so nothing here commits anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, cast

import psycopg
from django.db import connection

from execution_engine.conf import engine_settings
from execution_engine.journal import flush
from execution_engine.journal.arrays import register_arrays
from execution_engine.journal.flush import Batch
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.present import virtual_time
from execution_engine.journal.writer import Writer, take
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.crash import Crash, ProcessDeath


class DjangosConnection:
    """Django's open psycopg connection with server-side parameters, which the journal's statements need."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._raw: Any = connection.connection

    def execute(self, *statement: Any, **options: Any) -> Any:
        return self.cursor().execute(*statement, **options)

    def cursor(self) -> psycopg.Cursor[Any]:
        cursor: psycopg.Cursor[Any] = psycopg.Cursor(self._raw)
        register_arrays(cursor.adapters)
        return cursor

    def transaction(self) -> Any:
        return self._raw.transaction()


def journal_connection() -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", DjangosConnection())


class DirectWriter(Writer):
    """Has no threads: never started, never stopped. `crash` says at which flush the process pretends to die."""

    def __init__(self, clock: VirtualClock, *, crash: Crash | None = None) -> None:
        limit = engine_settings().FLUSH_PAYLOAD_BYTES
        super().__init__(lambda _: journal_connection(), clock, held_seconds=0, flush_bytes=limit, on_due=lambda: None)
        self._virtual = clock
        # Branches of map and parallel run on threads of their own, where Django's `connection` would be another one.
        self._found = journal_connection()
        self._crash = crash
        self.has_died = False
        """Of branches side by side, another one may be the first to unwind: by the lost claim, as after a takeover."""
        self._alone = RLock()

    def submit(self, lane: Lane) -> None:
        with self._alone, virtual_time(self._virtual.now):
            while (batch := take(lane)) is not None:
                self._perhaps_die(lane, before=True)
                try:
                    self._write(batch)
                except BaseException:
                    lane.lose()
                    raise
                self._perhaps_die(lane)

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """On the test's own connection: a branch's thread would not see the test's transaction."""
        with self._alone, self._found.cursor() as cursor:
            yield cursor

    def hold(self, lane: Lane, entry: Entry) -> None:  # noqa: ARG002
        """The virtual clock stands still meanwhile, so nobody can tell that it was not held."""
        self.submit(lane)

    def resume(self, lane: Lane) -> None:
        self.submit(lane)

    def _write(self, batch: Batch) -> None:
        found = self._found
        if not batch.needs_lock:
            with found.transaction():
                accepted, _ = flush.send(found, [batch])
            if accepted:
                self.settle(found, [batch], accepted)
                return
        self._slow.write(found, batch, is_unknown=False)

    def _perhaps_die(self, lane: Lane, *, before: bool = False) -> None:
        if self._crash is not None and self._crash.is_now(before=before):
            self.has_died = True
            lane.lose()
            raise ProcessDeath
