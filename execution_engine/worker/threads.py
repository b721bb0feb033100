"""The handler threads of a worker child, started when first needed, and what happens to their Django connections."""

import contextvars
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)
_here = threading.local()


class _Loans:
    """The Django connections of one thread. Lives in the thread's locals and goes with it, and so do the connections of a thread
    that an author started: the pool would never see them again, and a few such threads would leave none to anybody."""

    def __init__(self) -> None:
        self.taken: list[BaseDatabaseWrapper] = []

    def __del__(self) -> None:
        for connection in self.taken:
            with suppress(DatabaseError):  # at the end of the process another thread tidies up, and nobody needs them
                connection.close()


def watch_connections() -> None:
    """From now on, the Django connections of every thread of this process are known, and closed when it ends."""
    connection_created.connect(_lend, dispatch_uid=__name__)


def _lend(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if not hasattr(_here, "loans"):
        _here.loans = _Loans()
    if connection not in _here.loans.taken:
        _here.loans.taken.append(connection)


def _taken() -> list[BaseDatabaseWrapper]:
    loans: _Loans | None = getattr(_here, "loans", None)
    return [] if loans is None else loans.taken


def transaction_depth() -> int:
    """How many `atomic()` blocks are open on this thread. A connection taken out of autocommit counts as one."""
    return sum(
        len(connection.atomic_blocks) or int(connection.connection is not None and not connection.autocommit) for connection in _taken()
    )


def give_back_connections() -> None:
    """After a step's body and after an invocation: a handler thread's pooled connection goes back to the pool, so that few
    serve many threads. A transaction that the author left open is rolled back, or the thread's next execution would be in it.

    Does nothing on threads that are not ours: `fn.run()` leaves its caller's connection alone.
    """
    if not getattr(_here, "is_handler", False):
        return
    for connection in list(_taken()):
        connection.close()
        if connection.in_atomic_block:
            logger.error("a transaction was left open on %r: it is rolled back", connection.alias)
            _taken().remove(connection)
            del connections[connection.alias]


def as_handler_thread(call: Callable[[], None]) -> Callable[[], None]:
    """For a thread that runs a branch of a map or parallel, which also has to give its connections back."""

    def run() -> None:
        _here.is_handler = True
        call()

    return run


class HandlerThreads:
    """At most `size` threads. One whose handler hangs counts as lost until it returns."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0

    def submit(self, call: Callable[[], None]) -> None:
        with self._lock:
            self._busy += 1
            if self._busy > self._started and self._started < self.size:
                self._started += 1
                threading.Thread(target=self._serve, name=f"durable-handler-{self._started}", daemon=True).start()
        self._work.put(call)

    def stop(self) -> None:
        """Lets idle threads end; busy ones are daemons and end with the process."""
        for _ in range(self._started):
            self._work.put(None)

    def _serve(self) -> None:
        _here.is_handler = True
        while (call := self._work.get()) is not None:
            try:
                # A context of its own, so that no language, time zone or decimal precision stays behind for the next execution.
                contextvars.Context().run(call)
            except BaseException:  # the edge to user code: one handler must never take a thread away from the others
                logger.exception("an invocation ended in an unexpected way; its claim will end by itself")
            finally:
                give_back_connections()
                with self._lock:
                    self._busy -= 1
