"""Who may still write under a map or parallel: once its end is recorded, none of its branches."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Condition
from typing import Any, TypeVar
from uuid import UUID

from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.sdk.errors import OrphanedChildException
from execution_engine.sdk.sink import Sink

T = TypeVar("T")


class Scope:
    """Open while branches run. Closing lets writes that have begun finish and refuses every later one."""

    __slots__ = ("_changed", "_fatal", "_is_closed", "_writing")

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_closed = False
        self._writing = 0
        self._fatal: BaseException | None = None

    @contextmanager
    def writing(self, operation_id: str) -> Iterator[None]:
        with self._changed:
            if self._is_closed:
                raise OrphanedChildException("the map or parallel above is over", operation_id)
            self._writing += 1
        try:
            yield
        finally:
            with self._changed:
                self._writing -= 1
                if self._is_closed and not self._writing:
                    self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Remembers what must win over the batch's result; too late once the scope is closed."""
        with self._changed:
            if not self._is_closed and self._fatal is None:
                self._fatal = error

    def close(self) -> None:
        """Raises what `fail` remembered."""
        self.abandon()
        with self._changed:
            while self._writing:
                self._changed.wait()
        if self._fatal is not None:
            raise self._fatal

    def abandon(self) -> None:
        """Refuses further writes without waiting for those that have begun."""
        with self._changed:
            self._is_closed = True


class GuardedSink:
    """A sink whose writes pass a scope."""

    __slots__ = ("_scope", "_sink")

    def __init__(self, sink: Sink, scope: Scope) -> None:
        self._sink = sink
        self._scope = scope

    @property
    def execution_id(self) -> UUID:
        return self._sink.execution_id

    @property
    def execution_arn(self) -> str:
        return self._sink.execution_arn

    @property
    def operations(self) -> Mapping[str, OperationRecord]:
        return self._sink.operations

    @property
    def started_at(self) -> datetime:
        return self._sink.started_at

    def now(self) -> datetime:
        return self._sink.now()

    def checkpoint(self, *updates: OperationUpdate) -> None:
        with self._scope.writing(updates[0].id):
            self._sink.checkpoint(*updates)

    def hold(self, update: OperationUpdate) -> None:
        with self._scope.writing(update.id):
            self._sink.hold(update)

    def refresh(self) -> None:
        self._sink.refresh()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        with self._scope.writing("" if start is None else start.id):
            return self._sink.atomic(start, finish)

    def set_status(self, text: str) -> None:
        self._sink.set_status(text)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._sink.set_attributes(attributes)
