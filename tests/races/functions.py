"""Durable functions that meet an outsider at an agreed instant. They run in the test's own process."""

import threading
import time
from typing import Any

from execution_engine import CallbackConfig, DurableContext, Duration, durable_execution

AHEAD_SECONDS = 0.012


class Meeting:
    """The instant at which a handler does its part; the outsider comes up to 5 ms earlier or later."""

    def __init__(self) -> None:
        self.callback_id = ""
        self.at = 0.0
        self.is_agreed = threading.Event()

    def agree(self, callback_id: str = "") -> None:
        """Called by the handler; returns at the instant, or at once when it has passed."""
        if not self.is_agreed.is_set():
            self.callback_id = callback_id
            self.at = time.perf_counter() + AHEAD_SECONDS
            self.is_agreed.set()
        sleep_until(self.at)


MEETINGS: dict[str, Meeting] = {}


def sleep_until(moment: float) -> None:
    while (left := moment - time.perf_counter()) > 0:
        time.sleep(left)


@durable_execution(name="race-suspend")
def suspend(event: str, context: DurableContext) -> Any:
    callback = context.create_callback("answer")
    MEETINGS[event].agree(callback.callback_id)
    return callback.result()


@durable_execution(name="race-complete")
def complete(event: str, context: DurableContext) -> str:
    context.step(lambda: 1, name="work")
    MEETINGS[event].agree()
    return "completed"


@durable_execution(name="race-timeout")
def timeout(event: str, context: DurableContext) -> str:
    callback = context.create_callback("answer", config=CallbackConfig(timeout=Duration.from_seconds(1)))
    MEETINGS[event].callback_id = callback.callback_id
    MEETINGS[event].is_agreed.set()
    try:
        return str(callback.result())
    except Exception as error:
        return type(error).__name__
