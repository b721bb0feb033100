"""create_callback: an id for somebody outside, and the answer that comes under it (semantics: CALLBACK)."""

import json
from typing import Any, Generic, TypeVar

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import ErrorObject, OperationOptions, OperationRecord
from execution_engine.core.serdes import PASS_THROUGH_SERDES, SerDes, SerDesError
from execution_engine.sdk import ports
from execution_engine.sdk.errors import CallbackError, CallbackExternalError, CallbackTimeoutError
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import START
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.suspend import suspension

T = TypeVar("T")


class Callback(Generic[T]):
    """Give `callback_id`, or the two addresses, to whoever shall answer; they stay the same on replay."""

    __slots__ = ("_context", "_key", "_serdes", "callback_id")

    def __init__(self, context: ContextPosition, key: OperationKey, callback_id: str, serdes: SerDes[T] | None) -> None:
        self._context = context
        self._key = key
        self._serdes = serdes
        self.callback_id = callback_id

    @property
    def operation_id(self) -> str:
        return self._key.id

    @property
    def approve_url(self) -> str:
        """A page that asks a signed-in person to approve; the answer is `{"action": "approved", "by", "comment"}`."""
        return ports.callback_url(self.callback_id, "approve")

    @property
    def reject_url(self) -> str:
        """As `approve_url`, with `"rejected"`."""
        return ports.callback_url(self.callback_id, "reject")

    def result(self) -> T | None:
        """The answer, as text unless a serdes was given; None when it came without payload. Suspends until it is there.

        Raises `CallbackExternalError` for a failure, `CallbackTimeoutError` for a time-out. Adds no operation.
        """
        answer: T | None = self._key.read(self._serdes or PASS_THROUGH_SERDES, self._answer())
        return answer

    def json_result(self) -> Any:
        """As `result`, decoded from JSON unless a serdes was given. Raises `SerDesError` when the answer is no JSON."""
        if self._serdes is not None:
            return self.result()
        text = self._answer()
        try:
            return None if text is None else json.loads(text)
        except ValueError as error:
            raise SerDesError(f"the answer of {self._key} is no JSON: {error}") from error

    def _answer(self) -> str | None:
        record = self._key.recorded()
        if not record.is_terminal:
            self._context._suspend(suspension(f"{self._key} is not answered yet", record.due_at, (record.id,)))
        self._consume(record)
        if record.status is OperationStatus.SUCCEEDED:
            return record.payload
        error = record.error or ErrorObject()
        kind: type[CallbackError] = CallbackExternalError
        message = "Callback failed"
        if record.status is OperationStatus.TIMED_OUT:
            kind, message = CallbackTimeoutError, "Callback timed out"
        trace = None if error.stack_trace is None else list(error.stack_trace)
        raise kind(error.message or message, data=error.data, stack_trace=trace)

    def _consume(self, record: OperationRecord) -> None:
        """Moves `context.now()` on to the answer's time, unless something later was consumed already."""
        if record.ended_at is not None and record.ended_at > self._context._consumed_at():
            self._context._consumed = record.id


def run_create_callback(
    context: ContextPosition, key: OperationKey, options: OperationOptions, serdes: SerDes[Any] | None
) -> Callback[Any]:
    """Never raises for an answered callback: only `result()` does."""
    key.consumed = None
    if key.found is None:
        key.sink.checkpoint(key.update(START, options=options))
    callback_id = key.recorded().callback_id
    if callback_id is None:
        raise CallbackError(f"{key} has no callback id")
    return Callback(context, key, callback_id, serdes)
