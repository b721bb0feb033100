"""One execution under test: what to ask it and what to do to it."""

import json
from datetime import timedelta
from typing import Any, Final

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.errors import ExecutionNotEndedError
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.core.transitions.reopening import Asked
from execution_engine.sdk.durations import to_seconds
from execution_engine.sdk.errors import ExecutionFailedError
from execution_engine.testing.engine import EndlessExecutionError, ExecutionBackend, VirtualEngine
from execution_engine.testing.pending import Failure, PendingApproval, PendingCallback, error_object
from execution_engine.testing.recorded import RecordedExecution

AS_IT_WAS: Final = object()
"""Not given: None is a value too."""
MAX_TIMERS: Final = 10_000


class ExecutionUnderTest:
    """One started execution. Everything it could do without time or an outsider is done already."""

    def __init__(self, execution: ExecutionBackend, engine: VirtualEngine) -> None:
        self._execution = execution
        self._engine = engine

    @property
    def arn(self) -> str:
        return self._execution.arn

    @property
    def execution_id(self) -> str:
        return str(self._execution.record.id)

    @property
    def name(self) -> str:
        return self._execution.record.name

    @property
    def status(self) -> ExecutionStatus:
        """Equal to its name as text: `execution.status == "SUCCEEDED"`."""
        return self._execution.record.status

    @property
    def status_text(self) -> str:
        """What the author last said with `context.set_status`."""
        return self._execution.status_text

    @property
    def attributes(self) -> dict[str, Any]:
        return self._execution.attributes

    @property
    def result_text(self) -> str | None:
        """The handler's result as the journal keeps it, JSON; None when it has none."""
        return self._execution.record.result

    @property
    def error(self) -> ErrorObject | None:
        return self._execution.record.error

    @property
    def events(self) -> list[dict[str, Any]]:
        """The history so far as AWS's Event objects (keys EventType, EventId, EventTimestamp, Name, ...)."""
        return self._execution.events()

    @property
    def operations(self) -> list[OperationRecord]:
        """The latest state of every operation, in order of their starts."""
        return list(self._execution.operations)

    def record(self) -> RecordedExecution:
        """Its history so far as a value, to be kept in a file and replayed on every change (`testing.recorded.replay`)."""
        found = self._execution.record
        return RecordedExecution(
            arn=self.arn,
            id=found.id,
            function=found.function,
            started_at=found.started_at,
            status=found.status,
            operations=self.operations,
            input=found.input,
            result=found.result,
            error=found.error,
            seed=self._execution.seed,
            version=found.version,
        )

    def get_operation(self, name: str) -> OperationRecord:
        """The first operation of this name; a `LookupError` lists the names there are."""
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise LookupError(f"no operation is named {name!r}; there are {sorted({o.name for o in self.operations if o.name})}")

    def get_pending_callbacks(self) -> list[PendingCallback]:
        """Callbacks nobody has answered, oldest first. Waits for signals are answered with `signal`."""
        if self.status.is_terminal:
            return []
        return [PendingCallback(self._execution, operation) for operation in self._waiting() if operation.options.signal is None]

    def get_pending_approvals(self) -> list[PendingApproval]:
        """Approvals nobody has decided, oldest first."""
        if self.status.is_terminal:
            return []
        return [PendingApproval(self._execution, operation) for operation in self._waiting() if operation.options.approval]

    def signal(self, name: str, payload: Any = None) -> None:
        """Sends a signal, payload as JSON; kept until the execution waits for one of this name."""
        self._execution.signal(name, json.dumps(payload))

    def skip_time(self, duration: Any) -> None:
        """Time passes for every execution of the client, see `DurableExecutionTestClient.skip_time`."""
        self._engine.advance_to(self._engine.clock.now() + timedelta(seconds=to_seconds(duration)))

    def run_until_complete(self) -> ExecutionStatus:
        """Skips over waits and retries until the end, or until only an outsider can go on; no callback times out by it
        unless a wait beside it is longer. Returns the status. Raises `EndlessExecutionError` after 10,000 timers, as of a poll whose
        condition is never met."""
        for _ in range(MAX_TIMERS):
            if not self._is_moved_by_time():
                return self.status
            moment = self._engine.next_moment()
            assert moment is not None
            self._engine.advance_to(moment)
        raise EndlessExecutionError(f"time alone does not end it: {MAX_TIMERS} timers have fired, and {self.describe()}")

    def pause(self, reason: str = "") -> None:
        """Nothing is invoked until `resume`; timers and callbacks still complete. A running handler unwinds at its next checkpoint."""
        self._execution.pause(reason)

    def resume(self, reason: str = "") -> None:
        """Goes on, at once when something completed meanwhile. Raises `ExecutionNotPausedError`."""
        self._execution.resume(reason)

    def stop(self, error: Failure = "stopped by the test") -> None:
        """Ends it as STOPPED with this error. Raises `ExecutionEndedError` when it is over already."""
        self._execution.stop(error_object(error))

    def redrive(self, *, from_operation: str | None = None, reason: str = "", input: Any = AS_IT_WAS, result: Any = AS_IT_WAS) -> None:
        """Lets the ended execution go on from its failure, or from an operation (its name or id), and runs it on.

        `result` takes the place of that operation's result, `input` of the execution's, both as JSON. What finished before is not
        run again. Raises `ExecutionNotEndedError`, and `ExecutionSucceededError` when no operation is chosen.
        """
        values = {name: json.dumps(value) for name, value in (("result", result), ("input", input)) if value is not AS_IT_WAS}
        operation = None if from_operation is None else self._id_of(from_operation)
        self._execution.redrive(Asked(reason, operation, "result" in values, values.get("result"), values.get("input")))

    def fork(self, *, from_operation: str | None = None, name: str | None = None, input: Any = AS_IT_WAS) -> "ExecutionUnderTest":
        """A new execution of the same version that begins with what this one had done before its failure, or before an operation
        (its name or id); it runs to its first suspension. This one stays as it is."""
        operation = None if from_operation is None else self._id_of(from_operation)
        text = None if input is AS_IT_WAS else json.dumps(input)
        return ExecutionUnderTest(self._execution.fork(operation, name, text), self._engine)

    def get_result(self) -> Any:
        """What the handler returned, as JSON carries it.

        Raises `ExecutionFailedError` with the author's error type and message (also after a stop or a time-out), and
        `ExecutionNotEndedError` while it runs.
        """
        record = self._execution.record
        if record.status is ExecutionStatus.SUCCEEDED:
            return json.loads(record.result) if record.result else None
        if record.status.is_terminal:
            raise _failure(record.status, record.error)
        raise ExecutionNotEndedError(self.describe(), execution_id=self.execution_id, execution_status=str(record.status))

    def describe(self) -> str:
        """In one sentence: its status, the virtual time, and what it waits for."""
        record = self._execution.record
        awaited = ", ".join(self._describe(operation) for operation in self.operations if _is_awaited(operation))
        text = f"{record.function} {record.name} is {record.status} at {self._engine.clock.now()}"
        return text if record.status.is_terminal else f"{text}; it waits for {awaited or 'its next invocation'}"

    def _id_of(self, operation: str) -> str:
        return operation if any(known.id == operation for known in self.operations) else self.get_operation(operation).id

    def _is_moved_by_time(self) -> bool:
        record = self._execution.record
        if record.status is not ExecutionStatus.RUNNING:
            return False
        awaited = [operation for operation in self.operations if _is_awaited(operation)]
        if any(operation.type is OperationType.CHAINED_INVOKE for operation in awaited) and self._engine.next_moment() is not None:
            return True
        timed = (OperationType.WAIT, OperationType.STEP)
        return record.failed_invocations > 0 or any(o.type in timed and o.due_at is not None for o in awaited)

    def _waiting(self) -> list[OperationRecord]:
        return [o for o in self.operations if o.type is OperationType.CALLBACK and o.status is OperationStatus.STARTED]

    def _describe(self, operation: OperationRecord) -> str:
        until = f" until {operation.due_at}" if operation.due_at is not None else ""
        return f"{operation.type} {operation.name or operation.id}{until}"


def _is_awaited(operation: OperationRecord) -> bool:
    return not operation.is_terminal and operation.type is not OperationType.CONTEXT


def _failure(status: ExecutionStatus, error: ErrorObject | None) -> ExecutionFailedError:
    found = error or ErrorObject()
    return ExecutionFailedError(found.message or f"the execution is {status}", error_type=found.type, status=status, error=found)
