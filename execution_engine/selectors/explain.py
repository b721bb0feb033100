"""Why an execution does or does not move: the one place that derives a state for people.

List, detail, REST and alerts all call `derived_state`; `selectors/states.py` asks the same question in SQL, for filters
and counts, and a test holds the two together.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationSubType, OperationType
from execution_engine.core.transitions.execution import MAX_FAILED_INVOCATIONS


class StateCode(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    POLLING = "polling"
    WAITING = "waiting"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    WAITING_FOR_CALLBACK = "waiting_for_callback"
    WAITING_FOR_SIGNAL = "waiting_for_signal"
    WAITING_FOR_CHILD = "waiting_for_child"
    PAUSED = "paused"
    STRANDED = "stranded"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"

    @property
    def is_terminal(self) -> bool:
        return self in (StateCode.SUCCEEDED, StateCode.FAILED, StateCode.TIMED_OUT, StateCode.STOPPED)


@dataclass(frozen=True, slots=True)
class DerivedState:
    """What an execution is really doing.

    `label` is short, for a cell ("Waiting for callback manager"). `sentence` answers "why is it not moving?" without times. `since` is when
    this began, `until` when it ends by itself (None: only somebody outside can move it).
    """

    code: StateCode
    label: str
    sentence: str
    since: datetime | None = None
    until: datetime | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation that has not ended; `options` is the stored JSON text. A callback that people decide is an approval."""

    execution_id: UUID
    id: str
    type: str
    sub_type: str | None
    name: str | None
    status: str
    attempt: int
    started_at: datetime
    due_at: datetime | None
    options: str | None
    callback_id: str | None = None

    @property
    def title(self) -> str:
        return plain_title(self.name) or self.id[:8]

    @property
    def signal(self) -> str | None:
        found = self._option("signal")
        return str(found) if found else self.name

    @property
    def is_approval(self) -> bool:
        return bool(self._option("approval"))

    def _option(self, name: str) -> object:
        return json.loads(self.options).get(name) if self.options else None


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """What the derivation looks at: columns of the execution row, without payloads."""

    id: UUID
    function: str
    version: str
    function_version_id: int
    status: str
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    claim_id: UUID | None
    invocation_started_at: datetime | None
    invocations: int
    failed_invocations: int
    last_event_at: datetime
    line: str | None = None


def plain_title(name: str | None) -> str | None:
    """What people call an operation: `wait_for_callback("manager")` names its inner callback "manager create callback id"."""
    return name.removesuffix(" create callback id") if name else None


_ENDED = {
    ExecutionStatus.SUCCEEDED: (StateCode.SUCCEEDED, "Succeeded", "The function returned its result."),
    ExecutionStatus.FAILED: (StateCode.FAILED, "Failed", "An error left the function's code."),
    ExecutionStatus.TIMED_OUT: (StateCode.TIMED_OUT, "Timed out", "It was not done when its execution timeout was over."),
    ExecutionStatus.STOPPED: (StateCode.STOPPED, "Stopped", "Somebody stopped it."),
}


def derived_state(
    execution: ExecutionFacts,
    open_operations: Sequence[OpenOperation],
    *,
    now: datetime,
    served: Collection[int],
    is_full: bool = False,
) -> DerivedState:
    """The state of an execution. `now` is the database's time; `served` are the ids of the versions that live workers serve.

    `is_full`: the function's limit of concurrent executions is reached. An execution that waits counts as stranded only once it needs an
    invocation that nobody can give.
    """
    status = ExecutionStatus(execution.status)
    if status in _ENDED:
        code, label, sentence = _ENDED[status]
        if status is ExecutionStatus.FAILED and execution.failed_invocations >= MAX_FAILED_INVOCATIONS:
            sentence = f"{MAX_FAILED_INVOCATIONS} invocations in a row failed; the error tells how the last one ended."
        return DerivedState(code, label, sentence, since=execution.ended_at)
    if status is not ExecutionStatus.RUNNING:
        return _paused(execution, is_pausing=status is ExecutionStatus.PAUSING)
    is_due = execution.due_at is not None and execution.due_at <= now
    is_served = execution.function_version_id in served
    if execution.claim_id is not None and (is_served or not is_due):
        return _running(execution, open_operations, is_late=is_due)
    if is_due and not is_served:
        return _stranded(execution)
    if is_due:
        return _queued(execution, is_full=is_full)
    return _suspended(execution, open_operations, is_served)


def _paused(execution: ExecutionFacts, *, is_pausing: bool) -> DerivedState:
    label, sentence = "Paused", "It was paused; it goes on when somebody resumes it."
    if is_pausing:
        label, sentence = "Pausing", "It is paused as soon as the invocation under way reaches its next checkpoint."
    return DerivedState(StateCode.PAUSED, label, sentence, since=execution.last_event_at)


def _running(execution: ExecutionFacts, operations: Sequence[OpenOperation], *, is_late: bool) -> DerivedState:
    working = (OperationStatus.STARTED, OperationStatus.READY)
    steps = [o for o in operations if o.type == OperationType.STEP and o.status in working]
    step = max(steps, key=lambda o: o.started_at, default=None)
    since = execution.invocation_started_at or execution.last_event_at
    if is_late:
        sentence = "Its worker has not been heard of; another worker is about to take it over."
        return DerivedState(StateCode.RUNNING, "Running", sentence, since=since, until=execution.due_at)
    if step is None:
        return DerivedState(StateCode.RUNNING, "Running", "A worker runs the function's code.", since=since)
    attempt = f", attempt {step.attempt + 1}" if step.attempt else ""
    more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    sentence = f"A worker runs step {step.title}{attempt}{more}."
    return DerivedState(StateCode.RUNNING, f"Running {step.title}{more}", sentence, since=step.started_at, operation=step.name)


def _stranded(execution: ExecutionFacts) -> DerivedState:
    which = f"{execution.function} version {execution.version}"
    sentence = f"No live worker serves {which}. Start a worker with this version, or stop the execution."
    return DerivedState(StateCode.STRANDED, f"Stranded: nobody serves version {execution.version}", sentence, since=execution.due_at)


def _queued(execution: ExecutionFacts, *, is_full: bool) -> DerivedState:
    """Since when it is queued: a priority is a head start, so `due_at` may lie before the start."""
    assert execution.due_at is not None
    since = max(execution.due_at, execution.last_event_at)
    what = "its next" if execution.invocations else "its first"
    if execution.line == "":
        sentence = "It is due for its first invocation and waits for its turn by the function's rate of starts."
        return DerivedState(StateCode.QUEUED, "Queued by the rate of starts", sentence, since=since)
    if execution.line is not None:
        sentence = f"It is due for {what} invocation and waits until fewer executions with the concurrency key {execution.line} run."
        return DerivedState(StateCode.QUEUED, f"Queued behind {execution.line}", sentence, since=since)
    if is_full:
        sentence = f"It is due for {what} invocation and waits until fewer executions of its function run."
        return DerivedState(StateCode.QUEUED, "Queued by a limit", sentence, since=since)
    sentence = f"It is due for {what} invocation and waits for a free thread of a worker."
    return DerivedState(StateCode.QUEUED, "Queued", sentence, since=since)


def _suspended(execution: ExecutionFacts, operations: Sequence[OpenOperation], is_served: bool) -> DerivedState:
    state = _what_it_waits_for(execution, operations)
    if is_served:
        return state
    warning = f" No live worker serves version {execution.version} now; it will strand when it wakes."
    return DerivedState(state.code, state.label, state.sentence + warning, state.since, state.until, state.operation)


def _what_it_waits_for(execution: ExecutionFacts, operations: Sequence[OpenOperation]) -> DerivedState:
    """Trouble first, then people, then programs, then the clock; `states.state_case` has the same order."""
    if execution.failed_invocations:
        sentence = f"Invocation failed {execution.failed_invocations} times in a row; after five the execution fails."
        if execution.failed_invocations == 1:
            sentence = "The last invocation failed and is tried again; after five in a row the execution fails."
        return DerivedState(StateCode.RETRYING, "Retrying the invocation", sentence, execution.last_event_at, execution.due_at)
    for code, belongs in KINDS:
        found = sorted((o for o in operations if belongs(o)), key=lambda o: (o.due_at is None, o.due_at, o.started_at))
        if found:
            return waiting_for(code, found[0], len(found) - 1)
    sentence = "It is suspended; a timer or an answer from outside wakes it."
    return DerivedState(StateCode.WAITING, "Waiting", sentence, execution.last_event_at, execution.due_at)


def waiting_for(code: StateCode, operation: OpenOperation, others: int = 0) -> DerivedState:
    """What a suspended execution waits for, given the operation and how many more of its kind are open."""
    title, more = operation.title, f" and {others} more" if others else ""
    attempt = operation.attempt + 1
    words = {
        StateCode.RETRYING: (
            f"Retrying {title}, attempt {attempt}",
            f"Attempt {operation.attempt} of step {title} failed; it is tried again.",
        ),
        StateCode.WAITING_FOR_APPROVAL: (f"Waiting for approval {title}", f"Nobody has decided approval {title} yet."),
        StateCode.WAITING_FOR_CALLBACK: (f"Waiting for callback {title}", f"Nobody has answered callback {title} yet."),
        StateCode.WAITING_FOR_SIGNAL: (f"Waiting for signal {operation.signal}", f"No signal {operation.signal} has been sent yet."),
        StateCode.WAITING_FOR_CHILD: (f"Waiting for child {title}", f"The invoked function of {title} has not ended yet."),
        StateCode.POLLING: (f"Polling {title}", f"Poll {title} has not met its condition; check {attempt} follows."),
        StateCode.WAITING: ("Waiting", f"Wait {title} is not over." if operation.name else "A wait is not over."),
    }
    label, sentence = words[code]
    also = f" {others} more {'are' if others > 1 else 'is'} open." if others else ""
    return DerivedState(code, label + more, sentence + also, operation.started_at, operation.due_at, operation.name)


def _is_retrying(operation: OpenOperation) -> bool:
    return _is_pending_step(operation) and operation.sub_type != OperationSubType.WAIT_FOR_CONDITION


def _is_polling(operation: OpenOperation) -> bool:
    return _is_pending_step(operation) and operation.sub_type == OperationSubType.WAIT_FOR_CONDITION


def _is_pending_step(operation: OpenOperation) -> bool:
    return operation.type == OperationType.STEP and operation.status == OperationStatus.PENDING


def _is_approval(operation: OpenOperation) -> bool:
    return _is_callback(operation) and operation.is_approval


def _is_callback(operation: OpenOperation) -> bool:
    return operation.type == OperationType.CALLBACK and operation.sub_type != OperationSubType.SIGNAL


def _is_callback_of_a_program(operation: OpenOperation) -> bool:
    return _is_callback(operation) and not operation.is_approval


def _is_signal(operation: OpenOperation) -> bool:
    return operation.type == OperationType.CALLBACK and operation.sub_type == OperationSubType.SIGNAL


def _is_child(operation: OpenOperation) -> bool:
    return operation.type == OperationType.CHAINED_INVOKE


def _is_wait(operation: OpenOperation) -> bool:
    return operation.type == OperationType.WAIT


KINDS = (
    (StateCode.RETRYING, _is_retrying),
    (StateCode.WAITING_FOR_APPROVAL, _is_approval),
    (StateCode.WAITING_FOR_CALLBACK, _is_callback_of_a_program),
    (StateCode.WAITING_FOR_SIGNAL, _is_signal),
    (StateCode.WAITING_FOR_CHILD, _is_child),
    (StateCode.POLLING, _is_polling),
    (StateCode.WAITING, _is_wait),
)
