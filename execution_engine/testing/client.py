"""`DurableExecutionTestClient`: durable functions in a plain pytest, without database, worker or waiting.

client = DurableExecutionTestClient()
execution = client.start_execution(expense_approval, {"expense_id": "E-1"})
execution.get_pending_callbacks()[0].complete({"action": "approved"})
execution.skip_time(Duration.from_days(1))
assert execution.get_result()["status"] == "completed"
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.errors import CallbackNotFoundError, DurableExecutionsError, FunctionNotFoundError
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.sdk.durations import to_seconds
from execution_engine.sdk.errors import ExecutionFailedError
from execution_engine.sdk.registry import RegisteredFunction, describe, find_function, input_text
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.engine import ExecutionBackend, VirtualEngine
from execution_engine.testing.memory_engine import MemoryEngine
from execution_engine.testing.recorded import RecordedExecution

Failure = str | Exception | ErrorObject | Mapping[str, Any]


class ExecutionNotEndedError(DurableExecutionsError):
    """There is no result yet; the message says what the execution waits for."""


class PendingCallback:
    """A callback that waits for an answer. Each answer runs the execution on before it returns.

    Raises `CallbackCompletedError` when it was answered, timed out, or its execution is over.
    """

    def __init__(self, execution: ExecutionBackend, operation: OperationRecord) -> None:
        assert operation.callback_id is not None
        self._execution = execution
        self.name = operation.name
        self.callback_id = operation.callback_id

    def complete(self, value: Any = None) -> None:
        """A `str` is sent as it is, None as no payload at all, every other value as compact JSON."""
        text = value if value is None or isinstance(value, str) else _json(value)
        self._execution.complete_callback(self.callback_id, text, None)

    def fail(self, error: Failure) -> None:
        """`error`: a message, an exception, an `ErrorObject` or the wire's keys (ErrorMessage, ErrorType, ...)."""
        self._execution.complete_callback(self.callback_id, None, _error_object(error))

    def heartbeat(self) -> None:
        """Starts the heartbeat timer anew."""
        self._execution.heartbeat(self.callback_id)

    def __repr__(self) -> str:
        return f"PendingCallback(name={self.name!r})"


class PendingApproval(PendingCallback):
    """An approval that people have not decided yet."""

    def decide(self, approved: bool, by: str, comment: str = "", fields: Mapping[str, Any] | None = None) -> None:
        """One person decides; with a quorum the execution goes on when enough have. `by` is a user name: in memory it is
        taken as it is, on the database it must be a person who may decide."""
        self._execution.decide(self.callback_id, ApprovalDecision(approved, by, comment, fields))


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
        unless a wait beside it is longer. Returns the status."""
        while self._is_moved_by_time():
            moment = self._engine.next_moment()
            assert moment is not None
            self._engine.advance_to(moment)
        return self.status

    def pause(self, reason: str = "") -> None:
        """Nothing is invoked until `resume`; timers and callbacks still complete. A running handler unwinds at its next checkpoint."""
        self._execution.pause(reason)

    def resume(self, reason: str = "") -> None:
        """Goes on, at once when something completed meanwhile. Raises `ExecutionNotPausedError`."""
        self._execution.resume(reason)

    def stop(self, error: Failure = "stopped by the test") -> None:
        """Ends it as STOPPED with this error. Raises `ExecutionEndedError` when it is over already."""
        self._execution.stop(_error_object(error))

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
        raise ExecutionNotEndedError(self.describe())

    def describe(self) -> str:
        """In one sentence: its status, the virtual time, and what it waits for."""
        record = self._execution.record
        awaited = ", ".join(self._describe(operation) for operation in self.operations if _is_awaited(operation))
        text = f"{record.function} {record.name} is {record.status} at {self._engine.clock.now()}"
        return text if record.status.is_terminal else f"{text}; it waits for {awaited or 'its next invocation'}"

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


class DurableExecutionTestClient:
    """Runs handlers as production does, with the same rules, in memory and on a virtual clock.

    `start_at` (with a time zone) is the virtual time of the first start; by default the present, in whole seconds. Time
    stands still between calls: waits, retries, time-outs and `context.now()` all follow `skip_time`. A wait that is due,
    a completed callback and a signal run the execution on before the call returns.

    `database=True` keeps the executions in Django's default database, through the engine's own services and statements, inside
    an ordinary `TestCase` too: what a handler writes and what the engine writes are rolled back together.
    """

    def __init__(self, *, start_at: datetime | None = None, database: bool = False) -> None:
        self._engine = _engine(VirtualClock(start_at), database)

    @property
    def now(self) -> datetime:
        return self._engine.clock.now()

    def start_execution(
        self, handler: Callable[..., Any] | str, input: Any = None, name: str | None = None, *, tenant_id: str | None = None
    ) -> ExecutionUnderTest:
        """Starts a decorated handler, or a registered function by its name, and runs it to its first suspension.

        `input` travels as JSON (None: no input, the handler sees `{}`). The same `name` with the same input returns the
        same execution, with another input it raises `ExecutionAlreadyStartedError`.
        """
        execution = self._engine.start(_function_of(handler), input_text(input), name=name, tenant_id=tenant_id)
        return ExecutionUnderTest(execution, self._engine)

    def resume(self, handler: Callable[..., Any] | RegisteredFunction, recorded: RecordedExecution) -> ExecutionUnderTest:
        """Goes on with a recorded execution, in memory: what it finished is not done again, the failure that ended it is open.

        `events` begin anew; operations keep their recorded times, so start the client's clock at `recorded.latest_at`.
        """
        if not isinstance(self._engine, MemoryEngine):
            raise TypeError("a recorded execution is resumed in memory: DurableExecutionTestClient()")
        function = handler if isinstance(handler, RegisteredFunction) else describe(handler)
        return ExecutionUnderTest(self._engine.resume(function, recorded), self._engine)

    def register_function(self, handler: Callable[..., Any], name: str | None = None, *, durable: bool = True) -> None:
        """Makes a handler a target of `context.invoke(name, ...)`, by default under its own name.

        What decorators and `register()` made known to this process is a target already. `durable=False` is a plain
        `handler(event, lambda_context)`, called once.
        """
        described = describe(handler)
        self._engine.register(replace(described, name=name or described.name, is_durable=durable))

    @property
    def executions(self) -> list[ExecutionUnderTest]:
        """Everything started so far, oldest first; also what is running at this moment, for code inside a handler."""
        return [ExecutionUnderTest(execution, self._engine) for execution in self._engine.executions]

    def find_callback(self, callback_id: str) -> PendingCallback:
        """A callback of any execution of this client, answered or not. Raises `CallbackNotFoundError`."""
        for execution in self._engine.executions:
            for operation in execution.operations:
                if operation.callback_id == callback_id:
                    return PendingCallback(execution, operation)
        raise CallbackNotFoundError("there is no such callback", callback_id=callback_id)

    @property
    def next_moment(self) -> datetime | None:
        """The virtual time at which something will happen by itself; None when only outsiders can go on."""
        return self._engine.next_moment()

    def skip_time(self, duration: Any) -> None:
        """Moves the clock by a `Duration`, `timedelta`, seconds or `{"hours": 72}`; every timer on the way fires at its
        own moment, and what it wakes runs before the next one."""
        self._engine.advance_to(self.now + timedelta(seconds=to_seconds(duration)))

    def crash_after_checkpoints(self, count: int) -> None:
        """The process of the next started execution dies right after its `count`-th checkpoint, then a new one takes
        over, as after a `kill -9`."""
        if count < 1:
            raise ValueError(f"count is at least 1, not {count}")
        self._engine.dies_after = count


def _engine(clock: VirtualClock, database: bool) -> VirtualEngine:
    if not database:
        return MemoryEngine(clock)
    from execution_engine.testing.database_engine import DatabaseEngine  # in memory the kit needs no Django

    return DatabaseEngine(clock)


def _is_awaited(operation: OperationRecord) -> bool:
    return not operation.is_terminal and operation.type is not OperationType.CONTEXT


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _error_object(error: Failure) -> ErrorObject:
    if isinstance(error, ErrorObject):
        return error
    if isinstance(error, Mapping):
        return ErrorObject.from_wire(error)
    if isinstance(error, Exception):
        return ErrorObject(message=str(error), type=type(error).__name__)
    return ErrorObject(message=error)


def _failure(status: ExecutionStatus, error: ErrorObject | None) -> ExecutionFailedError:
    found = error or ErrorObject()
    return ExecutionFailedError(found.message or f"the execution is {status}", error_type=found.type, status=status, error=found)


def _function_of(handler: Callable[..., Any] | str) -> RegisteredFunction:
    if not isinstance(handler, str):
        return describe(handler)
    found = find_function(handler)
    if found is None:
        raise FunctionNotFoundError(f"no function is registered as {handler!r} in this process", function=handler)
    return found
