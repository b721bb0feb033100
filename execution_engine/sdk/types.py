"""The small values that author code is handed besides the context."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

AUTHOR_LOGGER = logging.getLogger("durable_functions")


class LoggerInterface(Protocol):
    """What `context.set_logger` takes: the standard library's logger has it."""

    def debug(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def error(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...
    def exception(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None: ...


class OperationContext:
    """What the body of an operation gets; `attempt` counts from 1. `make_logger(attempt)` is called when a logger is
    first asked for and none was given."""

    __slots__ = ("_logger", "_make_logger", "attempt")

    def __init__(
        self,
        logger: LoggerInterface | None = None,
        attempt: int = 1,
        *,
        make_logger: Callable[[int], LoggerInterface] = lambda _attempt: AUTHOR_LOGGER,
    ) -> None:
        self._logger = logger
        self._make_logger = make_logger
        self.attempt = attempt

    @property
    def logger(self) -> LoggerInterface:
        """Adds executionArn, operationId, operationName, parentId and attempt to every record."""
        if self._logger is None:
            self._logger = self._make_logger(self.attempt)
        return self._logger


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
