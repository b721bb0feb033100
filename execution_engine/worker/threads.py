"""The handler threads of a worker child, started when first needed."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connections

logger = logging.getLogger(__name__)
_here = threading.local()


def give_back_connections() -> None:
    """After a step's body: a handler thread's pooled connection goes back to the pool, so that few serve many threads.

    Does nothing on threads that are not ours: `fn.run()` leaves its caller's connection alone.
    """
    if getattr(_here, "is_handler", False):
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()


def as_handler_thread(call: Callable[[], None]) -> Callable[[], None]:
    """For a thread that runs a branch of a map or parallel: it too gives its connections back."""

    def run() -> None:
        _here.is_handler = True
        call()

    return run


class HandlerThreads:
    """At most `size` threads; a thread whose handler hangs is counted as lost until it comes back."""

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
                call()
            except BaseException:  # the edge to user code: one handler must never take a thread away from the others
                logger.exception("an invocation ended in an unexpected way; its claim will end by itself")
            finally:
                with self._lock:
                    self._busy -= 1
