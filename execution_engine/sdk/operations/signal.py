"""wait_for_signal: a callback that is answered by name (semantics: CALLBACK of sub type Signal)."""

import json

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import OperationOptions, OperationRecord
from execution_engine.core.serdes import SerDesError
from execution_engine.sdk.errors import CallbackExternalError, SignalTimeoutError
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import START, suspend_for
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.types import SignalResult


def run_signal(
    context: ContextPosition,  # noqa: ARG001
    key: OperationKey,
    timeout_seconds: int,
    on_timeout: str | None,
) -> SignalResult:
    if key.found is None:
        key.sink.checkpoint(key.update(START, options=OperationOptions(signal=key.name, timeout=timeout_seconds)))
    record = key.recorded()
    if not record.is_terminal:
        suspend_for(key, record)
    if record.status is OperationStatus.SUCCEEDED:
        return SignalResult(record.options.signal or str(key.name), _payload(key, record))
    message = record.error.message if record.error else None
    if record.status is not OperationStatus.TIMED_OUT:
        raise CallbackExternalError(message or "the signal failed")
    if on_timeout is None:
        raise SignalTimeoutError(f"no signal {key.name!r} came within {record.options.timeout} seconds")
    return SignalResult(on_timeout, timed_out=True)


def _payload(key: OperationKey, record: OperationRecord) -> object:
    try:
        return None if record.payload is None else json.loads(record.payload)
    except ValueError as error:
        raise SerDesError(f"the payload of signal {key.name!r} is no JSON: {error}") from error
