"""Frozen values that travel between the layers: what is recorded, what is asked for, what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus, OperationAction, OperationStatus, OperationType


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """An error as the wire carries it. Every field may be absent; `stack_trace` is a list of text lines."""

    message: str | None = None
    type: str | None = None
    data: str | None = None
    stack_trace: tuple[str, ...] | None = None

    def to_wire(self) -> dict[str, Any]:
        """JSON keys ErrorMessage, ErrorType, ErrorData, StackTrace; absent fields have no key."""
        wire = {"ErrorMessage": self.message, "ErrorType": self.type, "ErrorData": self.data}
        found: dict[str, Any] = {key: value for key, value in wire.items() if value is not None}
        if self.stack_trace is not None:
            found["StackTrace"] = list(self.stack_trace)
        return found

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "ErrorObject":
        trace = wire.get("StackTrace")
        return cls(
            message=wire.get("ErrorMessage"),
            type=wire.get("ErrorType"),
            data=wire.get("ErrorData"),
            stack_trace=None if trace is None else tuple(trace),
        )

    @classmethod
    def from_message(cls, message: str) -> "ErrorObject":
        return cls(message=message)

    # The names these two have in AWS's SDK.
    to_dict = to_wire
    from_dict = from_wire


@dataclass(frozen=True, slots=True)
class OperationOptions:
    """What a START or RETRY asked for and later moves need; times in whole seconds, zero means none.

    Only the fields of the operation's own type are set: `delay` (RETRY), `duration` (WAIT), `timeout` and
    `heartbeat` (CALLBACK), `signal` (CALLBACK of sub type Signal), `approval` (CALLBACK that people decide: the callback id it
    is first given); for CHAINED_INVOKE `function` and `tenant` as asked, `trace` as a plugin gave it (AWS's XAmznTraceId),
    and what the engine adds: `version`, `child` (its ARN), `child_id`, and `redrives`, how often the child must have been
    redriven to answer.
    """

    delay: int = 0
    duration: int = 0
    timeout: int = 0
    heartbeat: int = 0
    function: str | None = None
    tenant: str | None = None
    child: str | None = None
    child_id: str | None = None
    version: str | None = None
    redrives: int = 0
    signal: str | None = None
    approval: str | None = None
    trace: str | None = None


NO_OPTIONS = OperationOptions()


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """The latest recorded state of one operation.

    `attempt` is the number of finished attempts: RETRY, SUCCEED and FAIL of a STEP raise it. `payload` is the exact
    text of the serdes (result, or the state of a poll). `due_at` is the operation's next timer: end of a wait, next
    attempt, nearer time-out of a callback. `wake_seq` is the execution's sequence at this operation's last change from
    outside or by time, None when there was none. `start_event` orders operations by their start.
    """

    id: str
    type: OperationType
    status: OperationStatus
    sub_type: str | None = None
    name: str | None = None
    parent_id: str | None = None
    attempt: int = 0
    payload: str | None = None
    error: ErrorObject | None = None
    replay_children: bool = False
    options: OperationOptions = NO_OPTIONS
    callback_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    wake_seq: int | None = None
    start_event: int = 0

    @property
    def is_terminal(self) -> bool:
        return self.status.is_terminal


@dataclass(frozen=True, slots=True)
class OperationUpdate:
    """One move that author code asks for under its claim."""

    id: str
    type: OperationType
    action: OperationAction
    sub_type: str | None = None
    name: str | None = None
    parent_id: str | None = None
    payload: str | None = None
    error: ErrorObject | None = None
    replay_children: bool = False
    options: OperationOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of the history before the journal numbers it and gives it its time.

    `details` holds the event's own small values by AWS's key (Duration, CallbackId, RetryDetails, ...), never payloads.
    `payload` and `error` are set where the event keeps its own text; a terminal event of an operation leaves its result
    to the operation's row, so that a payload is stored once.
    """

    type: EventType
    operation_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    payload: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A legal move: the record after it, with absolute times, and the events it writes, in order."""

    record: OperationRecord
    events: tuple[HistoryEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """The execution row as the transitions see it. Times are UTC; sequences as in the engine's README."""

    id: UUID
    function: str
    version: str
    name: str
    status: ExecutionStatus
    started_at: datetime
    due_at: datetime | None = None
    deadline_at: datetime | None = None
    ended_at: datetime | None = None
    claim_id: UUID | None = None
    invocation_started_at: datetime | None = None
    failed_invocations: int = 0
    event_seq: int = 0
    checkpoint_seq: int = 0
    wake_seq: int = 0
    told_seq: int = -1
    input: str | None = None
    result: str | None = None
    error: ErrorObject | None = None
