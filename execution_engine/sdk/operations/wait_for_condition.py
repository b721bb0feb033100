"""wait_for_condition: poll with a state until it is good (semantics: STEP of sub type WaitForCondition)."""

from typing import Any

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.sdk import ports
from execution_engine.sdk.callables import wants_context
from execution_engine.sdk.errors import ExecutionError, InvocationError, ValidationError, WaitForConditionError
from execution_engine.sdk.failures import error_object, recorded_error
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.base import FAIL, RETRY, START, SUCCEED, Body, finished, operation_logger, retry_options, suspend_for
from execution_engine.sdk.speaker import Speaker, speaker
from execution_engine.sdk.state import ContextPosition
from execution_engine.sdk.types import WaitForConditionCheckContext
from execution_engine.sdk.waits import WaitForConditionConfig


def run_wait_for_condition(context: ContextPosition, key: OperationKey, check: Body, config: WaitForConditionConfig[Any]) -> Any:
    """The state that met the condition. Raises `WaitForConditionError`; suspends between checks."""
    record = key.found
    while True:
        if record is not None:
            if record.status is OperationStatus.SUCCEEDED:
                return key.decode(config.serdes, record.payload)
            if record.status is OperationStatus.FAILED:
                raise recorded_error(WaitForConditionError, record.error)
            if record.status is OperationStatus.PENDING:
                suspend_for(key, record)
        if record is None or record.status is not OperationStatus.STARTED:
            key.sink.hold(key.update(START))
        key.sink.checkpoint(_checked(context, key, check, config, record))
        record = key.recorded()


def _checked(
    context: ContextPosition, key: OperationKey, check: Body, config: WaitForConditionConfig[Any], record: OperationRecord | None
) -> OperationUpdate:
    """Checks once; an exception of the check, of the strategy or of the serdes ends the operation."""
    attempt = 1 if record is None else record.attempt + 1
    try:
        text = _next_state(context, key, check, config, record, attempt)
        decision = config.wait_strategy(key.decode(config.serdes, text), attempt)
        if not hasattr(decision, "should_continue"):
            raise ValidationError(f"the wait strategy of {key} answered {decision!r}; it has to answer a WaitForConditionDecision")
        if not decision.should_continue:
            return key.update(SUCCEED, text)
        return key.update(RETRY, text, options=retry_options(decision.delay_seconds, f"the next check of {key}"))
    except ExecutionError:
        raise
    except Exception as error:
        if isinstance(error, InvocationError) and error.is_retryable():
            raise
        return key.update(FAIL, None, error_object(error))


def _next_state(
    context: ContextPosition,
    key: OperationKey,
    check: Body,
    config: WaitForConditionConfig[Any],
    record: OperationRecord | None,
    attempt: int,
) -> str:
    recorded = None if record is None or record.attempt == 0 else record.payload
    state = key.decode(config.serdes, key.encode(config.serdes, config.initial_state) if recorded is None else recorded)
    check_context = WaitForConditionCheckContext(None, attempt, make_logger=operation_logger(context, key))
    token = speaker.set(Speaker(key.id, attempt))
    try:
        body = key.observed(check, attempt)
        new_state = finished(body, state, *((check_context,) if wants_context(check, 1) else ()))
    finally:
        speaker.reset(token)
        ports.after_user_code()
    text = key.encode(config.serdes, new_state)
    key.decode(config.serdes, text)
    return text
