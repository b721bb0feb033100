"""Operations and updates as AWS's Python SDK holds them, and back, over the wire's table. Imported only where that package is installed."""

from collections.abc import Iterator
from datetime import datetime

from aws_durable_execution_sdk_python import lambda_service as aws

from execution_engine.core import wire
from execution_engine.core.enums import OperationType
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate


def execution_operation(arn: str, started_at: datetime, input_text: str | None) -> aws.Operation:
    """The first operation of every state: the execution itself."""
    return to_aws(wire.execution_operation(arn.rpartition("/")[2], started_at, input_text))


def to_aws(record: OperationRecord) -> aws.Operation:
    return aws.Operation.from_dict(wire.operation(record))


def from_aws(update: aws.OperationUpdate) -> OperationUpdate:
    return wire.update(update.to_dict(), is_bounded=False)


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
