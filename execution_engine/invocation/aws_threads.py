"""Threads that AWS's own SDK starts: what they run belongs to the execution, and their Django connections go back."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from execution_engine.sdk import ports


class CarryingExecutor(ThreadPoolExecutor):
    """What the SDK's threads run belongs to the execution that started them, and gives its Django connections back."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        carried = contextvars.copy_context()
        answers: list[Any] = []
        call = ports.in_thread(lambda: answers.append(carried.run(fn, *args, **kwargs)))

        def run() -> Any:
            try:
                call()
            finally:
                ports.after_user_code()
            return answers.pop()

        return super().submit(run)


class CarryingThread(threading.Thread):
    """The same for the thread on which the SDK tells its plugins of changes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carried = contextvars.copy_context()
        self._call = ports.in_thread(lambda: carried.run(super(CarryingThread, self).run))

    def run(self) -> None:
        try:
            self._call()
        finally:
            ports.after_user_code()
