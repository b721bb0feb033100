"""Where a context stands in the recorded history: which id comes next, and whether the code replays or runs for the first time."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, NoReturn, TypeVar

from execution_engine.core.enums import OperationType
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.identifiers import operation_id
from execution_engine.sdk.errors import InvalidStateError, NonDeterministicExecutionError, OrphanedChildException, ValidationError
from execution_engine.sdk.key import Invocation, OperationKey, checked_name
from execution_engine.sdk.logger import Logger, identity
from execution_engine.sdk.types import AUTHOR_LOGGER, LoggerInterface
from execution_engine.sdk.witness import Asked

T = TypeVar("T")
MAX_VIRTUAL_DEPTH = 4  # how deep `_is_recorded` follows virtual contexts; below it, a line may be logged twice


class ContextPosition:
    """The part of a context that numbers operations and knows whether they replay.

    Ids come from a counter for each context, so they depend on nothing but the order of calls. A virtual context has an id prefix of its
    own, but its operations have the nearest real context as their parent.
    """

    __slots__ = (
        "_ahead",
        "_base_logger",
        "_consumed",
        "_count",
        "_depth",
        "_draws",
        "_finished",
        "_invocation",
        "_is_pinned",
        "_is_replaying",
        "_logger",
        "_outer",
        "_parent_id",
        "_prefix",
        "_running",
        "_unwinding",
    )

    def __init__(
        self, invocation: Invocation, parent_id: str | None = None, prefix: str | None = None, *, is_replaying: bool = False
    ) -> None:
        self._invocation = invocation
        self._parent_id = parent_id
        self._prefix = prefix
        self._is_replaying = is_replaying
        self._is_pinned = False
        self._outer: ContextPosition | None = None
        self._count = count(1)
        self._ahead: tuple[int, str] | None = None
        self._consumed: str | None = None
        self._finished = 0
        self._draws = 0
        self._base_logger: LoggerInterface = AUTHOR_LOGGER
        self._logger: Logger | None = None
        self._unwinding: BaseException | None = None
        self._running: OperationKey | None = None
        self._depth = 0

    def is_replaying(self) -> bool:
        """Whether the operations met here were recorded by an earlier invocation."""
        return self._is_replaying

    @property
    def logger(self) -> Logger:
        """A logger that drops what is logged while this context replays."""
        if self._logger is None:
            extra = identity(self._invocation.arn, parent_id=self._parent_id)
            self._logger = Logger(self._base_logger, extra, self.is_replaying)
        return self._logger

    def set_logger(self, new_logger: LoggerInterface) -> None:
        """Logs through `new_logger` from now on, with the same ids and the same silence."""
        self._base_logger = new_logger
        self._logger = None

    def _perform(self, type_: OperationType, sub_type: str, name: str | None, operate: Callable[..., T], *arguments: Any) -> T:
        """Gives the next operation its key and runs `operate(self, key, *arguments)` with the replay status kept right.

        Once a suspension, a lost claim or a divergence unwinds through this context, every further call raises it again:
        a `finally` or a bare `except` of the author must neither run operations early nor go on as if nothing was.
        """
        if self._unwinding is not None:
            raise self._unwinding
        if self._running is not None:
            raise ValidationError(
                f"a durable call inside {self._running}, or beside it on another thread: its body does not run again on replay, so "
                "nothing durable may happen in it. Use the context that a body is given, and parallel in place of threads"
            )
        if self._invocation.life.is_over:
            if self._depth:
                raise OrphanedChildException("the handler has ended before this branch", self._prefix or "")
            raise InvalidStateError("the invocation is over: a durable call from a thread that outlived its handler")
        if self._invocation.life.is_in_transaction():
            raise ValidationError(
                "a durable call inside transaction.atomic(): when it waits, what the transaction wrote is rolled back, but not what is "
                "recorded. Write inside a step; StepConfig(atomic=True) makes the writes and its record one commit"
            )
        key = self._next_key(type_, sub_type, name)
        if self._is_pinned and key.found is None and type_ is not OperationType.CONTEXT:
            self._suspend(NonDeterministicExecutionError(f"{key} is not recorded although the context around it has ended", key.id))
        self._running = key
        turns_new = self._is_replaying and not self._is_pinned and self._before(key)
        try:
            return operate(self, key, *arguments)
        except (InvocationInterrupt, NonDeterministicExecutionError) as interrupt:
            self._unwinding = interrupt
            raise
        finally:
            self._running = None
            if key.consumed is not None:
                self._consumed = key.consumed
            self._finished += 1
            self._draws = 0
            if self._is_replaying and not self._is_pinned:
                self._after(turns_new)

    def _next_key(self, type_: OperationType, sub_type: str, name: str | None) -> OperationKey:
        name = checked_name(name)
        number = next(self._count)
        ahead = self._ahead
        id_ = ahead[1] if ahead is not None and ahead[0] == number else operation_id(self._prefix, number)
        witness = self._invocation.witness
        try:
            if witness is not None:
                witness.asks(Asked(id_, type_, sub_type, name, self._parent_id, self._prefix, number))
            key = OperationKey(self._invocation, id_, type_, sub_type, name, self._parent_id)
            if witness is not None:
                witness.meets(key)
            return key
        except (NonDeterministicExecutionError, InvocationInterrupt) as unwinding:
            self._unwinding = unwinding
            raise

    def _before(self, key: OperationKey) -> bool:
        """Ends the replay at an operation that is new, or whose body runs now. Returns whether the replay ends after it.

        An open callback does not tell: creating it is all that happens here, and later operations may be recorded. `_after` looks ahead
        instead.
        """
        found = key.found
        if found is None:
            self._is_replaying = self._is_recorded(key.id)
            return False
        if found.is_terminal:
            return False
        if found.type is OperationType.STEP:
            self._is_replaying = False
        return found.type is not OperationType.CALLBACK

    def _after(self, turns_new: bool) -> None:
        if turns_new:
            self._is_replaying = False
            return
        number = self._finished + 1
        ahead = operation_id(self._prefix, number)
        self._ahead = (number, ahead)
        self._is_replaying = self._is_recorded(ahead) or self._is_followed()

    def _is_followed(self) -> bool:
        """Whether something is recorded after this virtual context: if so, its last calls were made before, as it runs on each replay."""
        outer = self._outer
        if outer is None or not outer._is_replaying:
            return False
        return outer._is_recorded(operation_id(outer._prefix, outer._finished + 2)) or outer._is_followed()

    def _is_recorded(self, id_: str) -> bool:
        """Whether an operation is recorded under this id, or the first one of a virtual context under it, which leaves no record itself."""
        operations = self._invocation.sink.operations
        for _ in range(MAX_VIRTUAL_DEPTH):
            if id_ in operations:
                return True
            id_ = operation_id(id_, 1)
        return False

    def _suspend(self, suspension: BaseException) -> NoReturn:
        """Raises what unwinds this context, and keeps it, so that every later call raises it again."""
        self._unwinding = self._unwinding or suspension
        raise self._unwinding

    def _raise_swallowed(self) -> None:
        """To be called when a body has returned: raises the unwinding exception that its code caught with a bare `except`."""
        if self._unwinding is not None:
            raise self._unwinding
        if self._invocation.witness is not None:
            self._invocation.witness.ends(self._prefix)

    def _consumed_at(self) -> datetime:
        record = None if self._consumed is None else self._invocation.sink.operations.get(self._consumed)
        if record is None or record.ended_at is None:
            return self._invocation.sink.started_at
        return record.ended_at

    def _adopt(self, parent: "ContextPosition", *, is_pinned: bool) -> None:
        """Takes over what a child inherits. `is_pinned`: its recorded body runs only to rebuild a result, and so replays to its end."""
        self._consumed = parent._consumed
        self._depth = parent._depth
        self._base_logger = parent._base_logger
        self._is_pinned = is_pinned
