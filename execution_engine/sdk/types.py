"""The small values that author code is handed besides the context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class LoggerInterface(Protocol):
    """What `context.set_logger` takes: the standard library's logger has it."""

    def debug(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def error(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def exception(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...


class OperationContext:
    """What the body of an operation gets; `attempt` counts from 1. The logger is made when it is first used."""

    __slots__ = ("_logger", "_make_logger", "attempt")

    def __init__(self, make_logger: Any, attempt: int = 1) -> None:
        self._make_logger = make_logger
        self._logger: Any = None
        self.attempt = attempt

    @property
    def logger(self) -> LoggerInterface:
        """Adds executionArn, operationId, operationName, parentId and attempt to every record."""
        if self._logger is None:
            self._logger = self._make_logger(self.attempt)
        return self._logger  # type: ignore[no-any-return]


class StepContext(OperationContext):
    """Handed to the body of a step."""

    __slots__ = ()


class WaitForCallbackContext(OperationContext):
    """Handed to a submitter."""

    __slots__ = ()


class WaitForConditionCheckContext(OperationContext):
    """Handed to a check."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What does not change during an execution."""

    durable_execution_arn: str


@dataclass(frozen=True, slots=True)
class SignalResult:
    """A received signal: the name its sender gave and its payload, decoded from JSON (None without one).

    After a time-out with `on_timeout` the signal named so is assumed: `timed_out` is true and the payload None.
    """

    signal_name: str
    payload: Any = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """What a person decided."""

    approved: bool
    by: str = ""
    comment: str = ""
    fields: Mapping[str, Any] | None = None
