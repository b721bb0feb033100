"""What can be done to a function, and the history it must leave, line by line (see `lines.py`)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A callback is answered: with a value, sent as JSON (None: without one), or an error message of type `Refused`."""

    callback: str | None
    value: Any = None
    error: str | None = None

    @property
    def text(self) -> str | None:
        return None if self.value is None else json.dumps(self.value)


@dataclass(frozen=True)
class Heartbeat:
    callback: str | None


@dataclass(frozen=True)
class Stop:
    """Somebody stops the execution with an error message of type `ByHand`."""

    error: str


@dataclass(frozen=True)
class Crash:
    """The process of the first invocation dies after so many checkpoints."""

    checkpoints: int


Step = Answer | Heartbeat | Stop


@dataclass(frozen=True)
class Scenario:
    """`passes` is how many seconds must pass for the end beyond waits and retries: time-outs. Steps are done between
    invocations, with `while_running` in the midst of one."""

    handler: Callable[..., Any]
    history: str
    input: Any = None
    status: str = "SUCCEEDED"
    result: Any = None
    steps: tuple[Step, ...] = ()
    crash: Crash | None = None
    passes: int = 0
    while_running: bool = False

    @property
    def name(self) -> str:
        return str(self.handler.__name__)

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.history.strip().splitlines()]
