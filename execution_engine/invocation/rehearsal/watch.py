"""The witness of a rehearsal, and the sink that has a history and takes nothing."""

import sys
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.invocation.rehearsal.history import History
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.suspend import SuspendExecution
from execution_engine.sdk.witness import Asked

_MACHINERY = (str(Path(__file__).parents[2]), *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")))


class Stop(SuspendExecution):
    """The code stands where something would be done: it unwinds as if it waited."""


class Watch:
    """Facts about one rehearsal, by operation id. `asked` is in order of the calls."""

    def __init__(self, history: History, begins_anew: frozenset[str] = frozenset()) -> None:
        self.begins_anew = begins_anew
        self.records: dict[str, OperationRecord] = {record.id: record for record in history.operations}
        self.asked: dict[str, Asked] = {}
        self.where: dict[str, str] = {}
        self.edges: list[str] = []
        self.reruns: list[OperationRecord] = []
        self.changed: list[tuple[OperationRecord, Asked]] = []
        self.targets: dict[str, str] = {}
        self.totals: dict[str, int] = {}
        self.ended: dict[str | None, str] = {}
        """What the bodies raised that came to their end, by prefix and in order; None is the handler itself."""
        self.raised_at = ""

    def asks(self, asked: Asked) -> None:
        self.asked[asked.id] = asked
        self.where[asked.id] = author_line(caller())

    def meets(self, key: OperationKey) -> None:
        """What is open in memory of the outside is left to the operation itself: it suspends without asking anybody."""
        found = key.found
        if found is None and key.type is not OperationType.CONTEXT:
            self.stop_at(key.id)
        if found is not None and found.type is OperationType.STEP and not found.is_terminal:
            self.reruns.append(found)
            raise Stop("the step's body would run")

    def diverges(self, operation_id: str, found: OperationRecord) -> None:
        self.changed.append((found, self.asked[operation_id]))

    def invokes(self, key: OperationKey, function: str) -> None:
        self.targets[key.id] = function

    def plans(self, batch_id: str, total: int) -> None:
        self.totals[batch_id] = total

    def ends(self, prefix: str | None) -> None:
        self.ended[prefix] = ""
        found = self.records.get(prefix) if prefix else None
        if found is not None and not found.is_terminal:
            raise Stop("the context would end")

    def stop_at(self, operation_id: str) -> NoReturn:
        """New work: its outcome is not known, so this branch of the code is at its edge."""
        self.edges.append(operation_id)
        raise Stop("the code asks for something new")


class WatchedHistory:
    """A `sdk.sink.Sink` that has a history and takes nothing."""

    def __init__(self, history: History, watch: Watch, shown: Sequence[OperationRecord]) -> None:
        self.witness = watch
        self.execution_id = history.id
        self.execution_arn = history.arn
        self.seed = history.seed
        self.started_at = history.started_at
        self._now = history.latest_at
        self.operations: Mapping[str, OperationRecord] = {record.id: record for record in shown}

    def now(self) -> datetime:
        return self._now

    def checkpoint(self, *updates: OperationUpdate) -> None:
        update = updates[0]
        if update.action is OperationAction.START:
            self.witness.stop_at(update.id)
        self.witness.ended[update.id] = f"{update.error.type}: {update.error.message}" if update.error else ""
        raise Stop("the operation would end")

    def hold(self, update: OperationUpdate) -> None:
        self.checkpoint(update)

    def refresh(self) -> None:
        """Time does not pass in a recorded history."""

    def atomic(self, *_: Any) -> NoReturn:
        raise Stop("an atomic step would run")

    def ask(self, *_: Any) -> NoReturn:
        raise Stop("people would be asked")

    def set_status(self, text: str) -> None:
        """Nobody reads it."""

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Nobody reads them."""


def author_line(frame: FrameType | None) -> str:
    """The innermost line that is neither the engine's nor a library's: "module:line in function", "" when there is none."""
    while frame is not None:
        if not is_machinery(frame.f_code.co_filename):
            return line_of(frame, frame.f_lineno)
        frame = frame.f_back
    return ""


def caller() -> FrameType:
    """The frame of whoever called the function that asks."""
    return sys._getframe(2)


def line_of(frame: FrameType, line: int) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{line} in {frame.f_code.co_name}"


@lru_cache(maxsize=4096)
def is_machinery(filename: str) -> bool:
    return filename.startswith(_MACHINERY)
