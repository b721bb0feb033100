"""Operations and updates in the shapes of AWS's Python SDK, and back. Imported only where that package is installed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python import lambda_service as aws

from execution_engine.core.enums import OperationAction, OperationStatus, OperationType
from execution_engine.core.records import ErrorObject, OperationOptions, OperationRecord, OperationUpdate


def execution_operation(arn: str, started_at: datetime, input_text: str | None) -> aws.Operation:
    """The first operation of every state: the execution itself."""
    return aws.Operation(
        operation_id=arn.rpartition("/")[2],
        operation_type=aws.OperationType.EXECUTION,
        status=aws.OperationStatus.STARTED,
        start_timestamp=started_at,
        execution_details=aws.ExecutionDetails(input_payload=input_text),
    )


def to_aws(record: OperationRecord) -> aws.Operation:
    return aws.Operation(
        operation_id=record.id,
        operation_type=aws.OperationType(record.type),
        status=aws.OperationStatus(record.status),
        parent_id=record.parent_id,
        name=record.name,
        start_timestamp=record.started_at,
        end_timestamp=record.ended_at,
        sub_type=record.sub_type,
        **_details(record),
    )


def _details(record: OperationRecord) -> dict[str, Any]:
    error = None if record.error is None else aws.ErrorObject.from_dict(record.error.to_wire())
    match record.type:
        case OperationType.STEP:
            waits = record.status is OperationStatus.PENDING
            found = aws.StepDetails(record.attempt, record.due_at if waits else None, record.payload, error)
            return {"step_details": found}
        case OperationType.WAIT:
            ends_at = record.due_at
            if ends_at is None and record.started_at is not None:
                ends_at = record.started_at + timedelta(seconds=record.options.duration)
            return {"wait_details": aws.WaitDetails(ends_at)}
        case OperationType.CONTEXT:
            return {"context_details": aws.ContextDetails(record.replay_children, record.payload, error)}
        case OperationType.CALLBACK:
            return {"callback_details": aws.CallbackDetails(record.callback_id or "", record.payload, error)}
        case _:
            return {"chained_invoke_details": aws.ChainedInvokeDetails(record.payload, error)}


def from_aws(update: aws.OperationUpdate) -> OperationUpdate:
    return OperationUpdate(
        id=update.operation_id,
        type=OperationType(update.operation_type.value),
        action=OperationAction(update.action.value),
        sub_type=update.sub_type or None,
        name=update.name or None,
        parent_id=update.parent_id or None,
        payload=update.payload,
        error=error_from_aws(update.error),
        replay_children=update.context_options is not None and update.context_options.replay_children,
        options=_options(update),
    )


def _options(update: aws.OperationUpdate) -> OperationOptions:
    if update.step_options is not None:
        return OperationOptions(delay=update.step_options.next_attempt_delay_seconds)
    if update.wait_options is not None:
        return OperationOptions(duration=update.wait_options.wait_seconds)
    if update.callback_options is not None:
        asked = update.callback_options
        return OperationOptions(timeout=asked.timeout_seconds, heartbeat=asked.heartbeat_timeout_seconds)
    if update.chained_invoke_options is not None:
        invoke = update.chained_invoke_options
        return OperationOptions(function=invoke.function_name, tenant=invoke.tenant_id, trace=invoke.x_amzn_trace_id)
    return OperationOptions()


def error_from_aws(error: aws.ErrorObject | None) -> ErrorObject | None:
    return None if error is None else ErrorObject.from_wire(error.to_dict())


def in_calls(updates: list[OperationUpdate]) -> Iterator[tuple[OperationUpdate, ...]]:
    """Splits a batch where the journal takes an update alone: an invoke's START brings its child along, and no call may hold two
    updates of one operation beside its START."""
    together: list[OperationUpdate] = []
    for update in updates:
        alone = update.type is OperationType.CHAINED_INVOKE
        if together and (alone or together[-1].type is OperationType.CHAINED_INVOKE):
            yield tuple(together)
            together = []
        together.append(update)
    if together:
        yield tuple(together)
