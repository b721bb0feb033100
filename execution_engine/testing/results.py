"""What `DurableFunctionTestRunner` answers, in the shape of AWS's testing library."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus, OperationType
from execution_engine.core.errors import DurableExecutionsError
from execution_engine.core.records import ErrorObject, OperationRecord


class DurableFunctionsTestError(DurableExecutionsError):
    """The test asked for something that is not there."""


@dataclass(frozen=True, slots=True)
class TestedOperation:
    """One operation of any type. Fields that its type does not have keep their defaults; times are virtual, UTC.

    `result` is the serialized text. `child_operations` are the operations inside a context, in order of their starts.
    """

    operation_id: str
    operation_type: OperationType
    status: OperationStatus
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None
    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None
    result: str | None = None
    error: ErrorObject | None = None
    attempt: int = 0
    next_attempt_timestamp: datetime | None = None
    scheduled_end_timestamp: datetime | None = None
    callback_id: str | None = None
    child_operations: "list[TestedOperation]" = field(default_factory=list)

    def get_operation_by_name(self, name: str) -> "TestedOperation":
        return _named(self.child_operations, name)

    get_step = get_wait = get_context = get_callback = get_invoke = get_operation_by_name


@dataclass(frozen=True, slots=True)
class DurableFunctionTestResult:
    """The ended execution. `status` is SUCCEEDED or FAILED, `execution_status` tells stops and time-outs apart.

    `result` is the JSON text of the handler's value. `operations` are those at the root, others nest in their contexts.
    """

    status: InvocationStatus
    operations: list[TestedOperation]
    result: str | None = None
    error: ErrorObject | None = None
    execution_status: ExecutionStatus | None = None

    def get_operation_by_name(self, name: str) -> TestedOperation:
        """Raises `DurableFunctionsTestError` when no root operation has this name."""
        return _named(self.operations, name)

    get_step = get_wait = get_context = get_callback = get_invoke = get_operation_by_name

    def get_all_operations(self) -> list[TestedOperation]:
        """Nested ones too."""
        return list(_flat(self.operations))


def tree_of(records: Sequence[OperationRecord], parent_id: str | None = None) -> list[TestedOperation]:
    return [_operation(record, records) for record in records if record.parent_id == parent_id]


def _operation(record: OperationRecord, records: Sequence[OperationRecord]) -> TestedOperation:
    is_wait, is_step = record.type is OperationType.WAIT, record.type is OperationType.STEP
    scheduled_end = record.due_at or record.ended_at
    return TestedOperation(
        operation_id=record.id,
        operation_type=record.type,
        status=record.status,
        parent_id=record.parent_id,
        name=record.name,
        sub_type=record.sub_type,
        start_timestamp=record.started_at,
        end_timestamp=record.ended_at,
        result=record.payload,
        error=record.error,
        attempt=record.attempt,
        next_attempt_timestamp=record.due_at if is_step else None,
        scheduled_end_timestamp=scheduled_end if is_wait else None,
        callback_id=record.callback_id,
        child_operations=tree_of(records, record.id) if record.type is OperationType.CONTEXT else [],
    )


def _flat(operations: Iterable[TestedOperation]) -> Iterable[TestedOperation]:
    for operation in operations:
        yield operation
        yield from _flat(operation.child_operations)


def _named(operations: Sequence[TestedOperation], name: str) -> TestedOperation:
    for operation in operations:
        if operation.name == name:
            return operation
    raise DurableFunctionsTestError(f"no operation is named {name!r} here; there are {sorted({o.name for o in operations if o.name})}")
