"""step: run a body once per attempt and record what came of it (semantics: STEP, sub type Step)."""

from typing import Any

from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import DurableExecutionsError
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.core.serdes import SerDesError
from execution_engine.sdk import ports
from execution_engine.sdk.callables import wants_context
from execution_engine.sdk.config import StepConfig, StepSemantics
from execution_engine.sdk.errors import ExecutionError, RetryableSerDesError, StepError, StepInterruptedError
from execution_engine.sdk.failures import error_object, recorded_error
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import FAIL, RETRY, START, SUCCEED, Body, finished, operation_logger, retry_options, suspend_for
from execution_engine.sdk.retries import DEFAULT_RETRY, decide
from execution_engine.sdk.speaker import Speaker, speaker
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.types import StepContext


def run_step(context: ContextPosition, key: OperationKey, func: Body, config: StepConfig) -> Any:
    """The recorded or fresh result. Raises `StepError` or `SerDesError`, or suspends until the next attempt.

    Loops because a checkpoint may answer that the next attempt is due already.
    """
    record = key.found
    while True:
        if record is not None:
            if record.status is OperationStatus.SUCCEEDED:
                return key.decode(config.serdes, record.payload)
            if record.status is OperationStatus.FAILED:
                raise recorded_error(StepError, record.error)
            if record.status is OperationStatus.PENDING:
                suspend_for(key, record)
        try:
            return _attempt(context, key, func, config, record)
        except _AttemptFailedError as failed:
            error = failed.error
        _settle(key, config, record, error)
        record = key.recorded()


class _AttemptFailedError(Exception):
    """Carries the body's exception out of the attempt, so that nothing else is mistaken for it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _attempt(context: ContextPosition, key: OperationKey, func: Body, config: StepConfig, record: OperationRecord | None) -> Any:
    is_started = record is not None and record.status is OperationStatus.STARTED
    step = StepContext(None, 1 if record is None else record.attempt + 1, make_logger=operation_logger(context, key))
    start = None if is_started else key.update(START)
    if config.atomic:
        return _attempt_atomic(key, func, config, step, start)
    if config.step_semantics is StepSemantics.AT_MOST_ONCE_PER_RETRY:
        if start is None:
            raise _AttemptFailedError(StepInterruptedError(f"{key} was interrupted before its end was recorded", key.id))
        key.sink.checkpoint(start)
    elif start is not None:
        key.sink.hold(start)
    try:
        text, value = _call(key, func, config, step)
    finally:
        ports.after_user_code()
    key.sink.checkpoint(key.update(SUCCEED, text))
    return value


def _attempt_atomic(key: OperationKey, func: Body, config: StepConfig, step: StepContext, start: OperationUpdate | None) -> Any:
    def finish() -> tuple[OperationUpdate, Any]:
        text, value = _call(key, func, config, step)
        return key.update(SUCCEED, text), value

    try:
        return key.sink.atomic(start, finish)
    except (_AttemptFailedError, DurableExecutionsError):
        raise
    except Exception as error:
        # The database refused the commit, as for a deferred constraint: the attempt failed and left nothing behind.
        raise _AttemptFailedError(error) from None
    finally:
        ports.after_user_code()


def _call(key: OperationKey, func: Body, config: StepConfig, step: StepContext) -> tuple[str, Any]:
    body = key.observed(func, step.attempt)
    token = speaker.set(Speaker(key.id, step.attempt))
    try:
        return key.round_trip(config.serdes, finished(body, *((step,) if wants_context(func) else ())))
    except (ExecutionError, RetryableSerDesError):
        raise
    except Exception as error:
        raise _AttemptFailedError(error) from None
    finally:
        speaker.reset(token)


def _settle(key: OperationKey, config: StepConfig, record: OperationRecord | None, error: Exception) -> None:
    """Records RETRY or FAIL. The START of a rolled back atomic attempt is recorded again with it."""
    attempt = 1 if record is None else record.attempt + 1
    recorded = error_object(error)
    update = key.update(FAIL, None, recorded)
    if not isinstance(error, SerDesError):
        decision = decide(config.retry_strategy or DEFAULT_RETRY, error, attempt, str(key))
        if decision.should_retry:
            update = key.update(RETRY, None, recorded, options=retry_options(decision.delay_seconds, f"the retry of {key}"))
    now = key.record()
    if now is None or now.status is OperationStatus.READY:
        key.sink.checkpoint(key.update(START), update)
    else:
        key.sink.checkpoint(update)
