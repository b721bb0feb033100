"""Lines of handlers on their way to the database, without ever holding up the handler that prints them.

A line costs its thread an append. Another thread writes lines in batches; what comes faster than that is counted and dropped.
"""

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.journal import connections, logs
from execution_engine.journal.logs import Line

WAITING = 10_000
"""Lines that one process holds: some megabytes at most."""

BATCH = 1_000
GATHER_SECONDS = 0.2
IDLE_SECONDS = 30.0
LONGEST = 4_096
STOP_SECONDS = 2.0


class KeptLines:
    """One per process. Its thread and its connection begin with the first line; the connection closes when none came for a while."""

    def __init__(self, most_per_execution: int) -> None:
        self._most = most_per_execution
        self._lock = threading.Lock()
        self._waiting: list[Line] = []
        self._dropped: Counter[UUID] = Counter()
        self._has_lines = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def put(self, line: Line) -> None:
        with self._lock:
            if len(self._waiting) >= WAITING or self._is_stopping:
                self._dropped[line.execution_id] += 1
                return
            self._waiting.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="durable-lines", daemon=True)
                self._thread.start()
        self._has_lines.set()

    def stop(self) -> None:
        """Writes what waits, for at most two seconds."""
        self._is_stopping = True
        self._has_lines.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _serve(self) -> None:
        while not self._is_stopping or self._waiting or self._dropped:
            if not self._has_lines.wait(IDLE_SECONDS):
                self._disconnect()
                continue
            if not self._is_stopping:
                time.sleep(GATHER_SECONDS)
            self._has_lines.clear()
            if not self._write() and self._is_stopping:
                break
        self._disconnect()

    def _write(self) -> bool:
        """False when the database did not take them: they wait for its return, as many as there is room for."""
        lines = self._take()
        while lines:
            try:
                if self._connection is None:
                    self._connection = connections.connect("lines", options="-c synchronous_commit=off")
                logs.keep(self._connection, lines[:BATCH], self._most)
            except psycopg.Error as error:
                self._put_back(lines, is_lasting=isinstance(error, psycopg.OperationalError))
                self._disconnect()
                return False
            lines = lines[BATCH:]
        return True

    def _take(self) -> list[Line]:
        with self._lock:
            lines, self._waiting = self._waiting, []
            dropped, self._dropped = self._dropped, Counter()
        now = datetime.now(UTC)
        text = "{:,} lines were dropped: they came faster than they can be kept."
        return lines + [Line(one, now, "WARNING", __name__, text.format(number)) for one, number in dropped.items()]

    def _put_back(self, lines: list[Line], *, is_lasting: bool) -> None:
        """What the database refuses for what it is would be refused for ever."""
        if not is_lasting:
            logging.getLogger(__name__).warning("%d lines of handlers could not be kept", len(lines))
            return
        with self._lock:
            room = max(WAITING - len(self._waiting), 0)
            for line in lines[room:]:
                self._dropped[line.execution_id] += 1
            self._waiting[:0] = lines[:room]
        self._has_lines.set()
        time.sleep(GATHER_SECONDS)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def fitting(message: str) -> str:
    """The text as PostgreSQL can store and a page can show it: no NUL, no lone surrogates, at most 4,096 characters."""
    text = message.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
