"""Logging that is silent while its context replays, so that a line appears once however often the code runs."""

from collections.abc import Callable, Mapping
from typing import Any

from execution_engine.sdk.types import LoggerInterface


def _never() -> bool:
    return False


class Logger:
    """Passes messages to a standard logger, with the operation's ids as `extra`, unless `is_replaying()`."""

    __slots__ = ("_extra", "_is_replaying", "_logger")

    def __init__(self, logger: LoggerInterface, default_extra: Mapping[str, object], is_replaying: Callable[[], bool] = _never) -> None:
        self._logger = logger
        self._extra = default_extra
        self._is_replaying = is_replaying

    def with_is_replaying(self, is_replaying: Callable[[], bool]) -> "Logger":
        """The same logger with another condition for silence; `lambda: False` logs on every run."""
        return Logger(self._logger, self._extra, is_replaying)

    def with_extra(self, extra: Mapping[str, object], is_replaying: Callable[[], bool]) -> "Logger":
        return Logger(self._logger, {**self._extra, **extra}, is_replaying)

    def get_logger(self) -> LoggerInterface:
        return self._logger

    def debug(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        self._log(self._logger.debug, msg, args, extra)

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        self._log(self._logger.info, msg, args, extra)

    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        self._log(self._logger.warning, msg, args, extra)

    def error(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        self._log(self._logger.error, msg, args, extra)

    def exception(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        self._log(self._logger.exception, msg, args, extra)

    def _log(self, emit: Callable[..., Any], msg: object, args: tuple[object, ...], extra: Mapping[str, object] | None) -> None:
        if not self._is_replaying():
            emit(msg, *args, extra={**self._extra, **extra} if extra else self._extra)


def identity(
    arn: str, *, operation_id: str | None = None, name: str | None = None, parent_id: str | None = None, attempt: int | None = None
) -> dict[str, object]:
    """The fields of every log record of author code; what is None is left out."""
    found = {
        "executionArn": arn,
        "operationId": operation_id,
        "operationName": name,
        "parentId": parent_id,
        "attempt": attempt,
    }
    return {key: value for key, value in found.items() if value is not None}
