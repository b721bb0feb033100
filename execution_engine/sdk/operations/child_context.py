"""run_in_child_context: group operations under one result (semantics: CONTEXT)."""

from typing import TYPE_CHECKING, Any

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.sdk.callables import wants_context
from execution_engine.sdk.config import ChildConfig
from execution_engine.sdk.errors import ChildContextError, ExecutionError, InvocationError, NonDeterministicExecutionError
from execution_engine.sdk.failures import error_object, recorded_error
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import FAIL, START, SUCCEED, Body
from execution_engine.sdk.speaker import Speaker, speaker

if TYPE_CHECKING:
    from execution_engine.sdk.context import DurableContext

# AWS's bound: above it the result is not stored but rebuilt by running the body over its recorded children.
MAX_RESULT_BYTES = 256 * 1024
# Larger results of branches are waited for, so that no more of them gather in memory than there are threads.
MAX_HELD_RESULT_CHARACTERS = 16 * 1024


def run_child(
    context: "DurableContext", key: OperationKey, func: Body, config: ChildConfig[Any], *, is_replaying: bool | None = None
) -> Any:
    """The body's result, read back from its text. Raises `ChildContextError` when the body raised.

    `is_replaying` is given for a branch; other contexts begin as the one around them is. A branch does not wait for its own end
    to be durable: nobody can use its result before the end of its batch, which is written after it.
    """
    record = key.found
    if config.is_virtual:
        return _run_virtual(context, key, func, config, is_replaying)
    replays = context._is_replaying if is_replaying is None else is_replaying
    if record is None:
        if replays:
            raise _changed_nesting(key, "virtual", "real")
        key.sink.hold(key.update(START))
    elif record.status is OperationStatus.FAILED:
        raise recorded_error(ChildContextError, record.error)
    elif record.status is OperationStatus.SUCCEEDED and not record.replay_children:
        return key.decode(config.serdes, record.payload)
    child = context._child(key.id, parent_id=key.id, is_replaying=replays, is_pinned=record is not None and record.replay_children)
    is_branch = is_replaying is not None
    child._depth += is_branch
    try:
        raw, text, value = _call(child, key, func, config)
        if record is not None and record.is_terminal:
            _tell_unwritten(key, OperationStatus.SUCCEEDED, is_replayed=True)
            return value
        is_large = _is_large(text)
        payload = _summary(raw, config) if is_large else text
    except _BodyFailedError as failed:
        error = error_object(failed.error)
    else:
        update = key.update(SUCCEED, payload, replay_children=is_large)
        if is_branch and len(payload or "") <= MAX_HELD_RESULT_CHARACTERS:
            key.sink.hold(update)
        else:
            key.sink.checkpoint(update)
        return value
    return _fail(key, record, error)


def _fail(key: OperationKey, record: OperationRecord | None, error: Any) -> Any:
    if record is None or not record.is_terminal:
        key.sink.checkpoint(key.update(FAIL, None, error))
    raise recorded_error(ChildContextError, error)


def _run_virtual(context: "DurableContext", key: OperationKey, func: Body, config: ChildConfig[Any], is_replaying: bool | None) -> Any:
    if key.found is not None:
        raise _changed_nesting(key, "real", "virtual")
    replays = context._is_replaying if is_replaying is None else is_replaying
    child = context._child(key.id, parent_id=context._parent_id, is_replaying=replays, is_pinned=context._is_pinned)
    child._depth += is_replaying is not None
    child._outer = context if is_replaying is None else None
    try:
        value = _call(child, key, func, config)[2]
        _tell_unwritten(key, OperationStatus.SUCCEEDED)
        return value
    except _BodyFailedError as failed:
        error = error_object(failed.error)
    finally:
        key.consumed = child._consumed
    _tell_unwritten(key, OperationStatus.FAILED, error)
    raise recorded_error(ChildContextError, error)


def _tell_unwritten(key: OperationKey, status: OperationStatus, error: ErrorObject | None = None, *, is_replayed: bool = False) -> None:
    """Plugins hear of this end although nothing of it is recorded."""
    if key.invocation.plugins is not None:
        key.invocation.plugins.end_unwritten(key.update(SUCCEED), status, error, is_replayed=is_replayed)


def _changed_nesting(key: OperationKey, recorded: str, asked: str) -> NonDeterministicExecutionError:
    return NonDeterministicExecutionError(
        f"Non-deterministic execution: the history has {key} as a {recorded} context, the code now asks for a {asked} one "
        f"(operation {key.id})",
        key.id,
    )


class _BodyFailedError(Exception):
    """Carries the body's exception, so that a failed checkpoint is not mistaken for it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _call(child: "DurableContext", key: OperationKey, func: Body, config: ChildConfig[Any]) -> tuple[Any, str, Any]:
    found = key.found
    body = key.observed(func, 1 if found is None else None, is_replay_children=found is not None and found.replay_children)
    token = speaker.set(Speaker(key.id, None, child.is_replaying))
    try:
        raw = body(child) if wants_context(func) else body()
        child._raise_swallowed()
        return raw, *key.round_trip(config.serdes, raw)
    except ExecutionError:
        raise
    except Exception as error:
        if isinstance(error, InvocationError) and error.is_retryable():
            raise
        raise _BodyFailedError(error) from None
    finally:
        speaker.reset(token)


def _summary(raw: Any, config: ChildConfig[Any]) -> str:
    if config.summary_generator is None:
        return ""
    try:
        return config.summary_generator(raw)
    except Exception as error:
        raise _BodyFailedError(error) from None


def _is_large(text: str | None) -> bool:
    if text is None or len(text) * 4 <= MAX_RESULT_BYTES:
        return False
    return len(text) > MAX_RESULT_BYTES or len(text.encode()) > MAX_RESULT_BYTES
