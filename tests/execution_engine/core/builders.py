"""Records and updates for the tests of the pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationAction, OperationStatus, OperationType
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationOptions, OperationRecord, OperationUpdate

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=1)
ERROR = ErrorObject(message="no", type="CardDeclined")
OPTIONS = {
    OperationType.STEP: OperationOptions(delay=3),
    OperationType.WAIT: OperationOptions(duration=10),
    OperationType.CALLBACK: OperationOptions(timeout=300),
    OperationType.CHAINED_INVOKE: OperationOptions(function="pay"),
    OperationType.CONTEXT: OperationOptions(),
    OperationType.EXECUTION: OperationOptions(),
}


def record(kind: OperationType, status: OperationStatus, **values: Any) -> OperationRecord:
    given = {"id": "1", "name": "it", "started_at": EARLIER, "options": OPTIONS[kind], "start_event": 2, **values}
    return OperationRecord(type=kind, status=status, **given)


def update(kind: OperationType, action: OperationAction, **values: Any) -> OperationUpdate:
    return OperationUpdate(type=kind, action=action, **{"id": "1", "name": "it", "options": OPTIONS[kind], **values})


def execution(**values: Any) -> ExecutionRecord:
    given = {"id": UUID(int=7), "function": "f", "version": "1", "name": "n", "status": ExecutionStatus.RUNNING, "started_at": EARLIER}
    return ExecutionRecord(**{**given, **values})
