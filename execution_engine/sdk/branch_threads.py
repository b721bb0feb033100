"""Threads for the branches of one batch, started when needed and gone with it."""

import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue


class BranchThreads:
    """At most `size` daemon threads: a branch that hangs must not keep a process from ending, as an executor's threads would."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)

    def submit(self, call: Callable[[], None]) -> None:
        """Runs `call`, which must not raise, with the submitter's context variables; waits in line when all are busy."""
        context = contextvars.copy_context()
        self._calls.put(lambda: context.run(call))
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
            thread = threading.Thread(target=self._serve, name="durable-branch", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Idle threads end now, busy ones after their call."""
        for _ in self._threads:
            self._calls.put(None)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            self._idle.release()
