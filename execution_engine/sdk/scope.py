"""Which branches of a map or parallel may still write: none, once the end of the batch is recorded."""

from collections.abc import Callable
from threading import Condition, Lock
from typing import TypeVar

from execution_engine.core.records import OperationUpdate
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.errors import OrphanedChildException
from execution_engine.sdk.forwarding import ForwardingSink
from execution_engine.sdk.ports import ApprovalPlace
from execution_engine.sdk.sink import Sink

T = TypeVar("T")


class Scope:
    """Open while branches run. Closing it lets writes finish that have begun, and refuses all later ones."""

    __slots__ = ("_changed", "_fatal", "_is_closed", "_lock", "_writing")

    def __init__(self) -> None:
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._is_closed = False
        self._writing = 0
        self._fatal: BaseException | None = None

    def enter(self, operation_id: str) -> None:
        """A write begins; `leave` must follow. Raises `OrphanedChildException` once the scope is closed.

        Not a context manager: that would cost more than the rest of this class.
        """
        with self._lock:
            if self._is_closed:
                raise OrphanedChildException("the map or parallel above is over", operation_id)
            self._writing += 1

    def leave(self) -> None:
        """A write has ended."""
        with self._lock:
            self._writing -= 1
            if self._is_closed and not self._writing:
                self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Remembers an error that overrules the result of the batch; has no effect once the scope is closed."""
        with self._changed:
            if not self._is_closed and self._fatal is None:
                self._fatal = error

    def close(self) -> None:
        """Refuses further writes, waits for those that have begun, and raises the error that `fail` remembered."""
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


class GuardedSink(ForwardingSink):
    """A sink whose every write passes a scope."""

    __slots__ = ("_scope",)

    def __init__(self, sink: Sink, scope: Scope) -> None:
        super().__init__(sink)
        self._scope = scope

    def checkpoint(self, *updates: OperationUpdate) -> None:
        self._scope.enter(updates[0].id)
        try:
            self._sink.checkpoint(*updates)
        finally:
            self._scope.leave()

    def hold(self, update: OperationUpdate) -> None:
        self._scope.enter(update.id)
        try:
            self._sink.hold(update)
        finally:
            self._scope.leave()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        self._scope.enter("" if start is None else start.id)
        try:
            return self._sink.atomic(start, finish)
        finally:
            self._scope.leave()

    def ask(self, start: OperationUpdate | None, request: ApprovalRequest, place: ApprovalPlace) -> None:
        self._scope.enter("" if start is None else start.id)
        try:
            self._sink.ask(start, request, place)
        finally:
            self._scope.leave()
