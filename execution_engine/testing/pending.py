"""What a test answers: callbacks and approvals that wait."""

import json
from collections.abc import Mapping
from typing import Any

from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.testing.engine import ExecutionBackend

Failure = str | Exception | ErrorObject | Mapping[str, Any]
"""A message, an exception, an `ErrorObject` or the wire's keys (ErrorMessage, ErrorType, ...)."""


class PendingCallback:
    """A callback that waits for an answer. Each answer runs the execution on before it returns.

    Raises `CallbackCompletedError` when it was answered, timed out, or its execution is over.
    """

    def __init__(self, execution: ExecutionBackend, operation: OperationRecord) -> None:
        assert operation.callback_id is not None
        self._execution = execution
        self.name = operation.name
        self.callback_id = operation.callback_id

    def complete(self, value: Any = None) -> None:
        """A `str` is sent as it is, None as no payload at all, every other value as compact JSON."""
        text = value if value is None or isinstance(value, str) else _json(value)
        self._execution.complete_callback(self.callback_id, text, None)

    def fail(self, error: Failure) -> None:
        """`error`: a message, an exception, an `ErrorObject` or the wire's keys (ErrorMessage, ErrorType, ...)."""
        self._execution.complete_callback(self.callback_id, None, error_object(error))

    def heartbeat(self) -> None:
        """Starts the heartbeat timer anew."""
        self._execution.heartbeat(self.callback_id)

    def __repr__(self) -> str:
        return f"PendingCallback(name={self.name!r})"


class PendingApproval(PendingCallback):
    """An approval that people have not decided yet."""

    def decide(self, approved: bool, by: str, comment: str = "", fields: Mapping[str, Any] | None = None) -> None:
        """One person decides; with a quorum the execution goes on when enough have. `by` is a user name: in memory it is
        taken as it is, on the database it must be a person who may decide."""
        self._execution.decide(self.callback_id, ApprovalDecision(approved, by, comment, fields))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def error_object(error: Failure) -> ErrorObject:
    if isinstance(error, ErrorObject):
        return error
    if isinstance(error, Mapping):
        return ErrorObject.from_wire(error)
    if isinstance(error, Exception):
        return ErrorObject(message=str(error), type=type(error).__name__)
    return ErrorObject(message=error)
