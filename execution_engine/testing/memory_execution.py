"""One execution's life in memory: claims, invocations and timers, by the rules of the worker."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import uuid4

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord, OperationUpdate
from execution_engine.core.transitions import chained_invoke, pausing, redrive
from execution_engine.core.transitions import execution as moves
from execution_engine.core.transitions.reopening import Asked
from execution_engine.invocation.outcome import too_large
from execution_engine.invocation.runners import runner_of
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.testing import memory_repairs
from execution_engine.testing.bounds import largest_payload
from execution_engine.testing.crash import Crash, ProcessDeath
from execution_engine.testing.memory_commands import MemoryCommands
from execution_engine.testing.memory_journal import MemoryJournal

TIMEOUT_ERROR = ErrorObject(message="The invoked execution timed out", type="ChainedInvoke.Timeout")


class Engine(Protocol):
    """What an execution asks of those around it."""

    def take_crash(self) -> Crash | None: ...
    def start_child(self, parent: "MemoryExecution", update: OperationUpdate) -> OperationUpdate: ...
    def child_of(self, parent: "MemoryExecution", child_id: str) -> "MemoryExecution | None": ...
    def fork(
        self, source: "MemoryExecution", from_operation: str | None, name: str | None, input_text: str | None
    ) -> "MemoryExecution": ...


@dataclass
class MemoryExecution(MemoryCommands):
    """A stored execution and the function that serves it.

    `parent` is the execution and the operation that wait for it as a chained invoke; `owes_parent` until it was told of the end.
    """

    function: RegisteredFunction
    engine: "Engine"
    tenant_id: str | None = None
    parent: tuple["MemoryExecution", str] | None = None
    owes_parent: bool = True

    def run_once(self) -> bool:
        """Claims and serves it when it is due; True when it was."""
        if self._look_while_paused():
            return True
        if not self._claim():
            return False
        self._serve_claim()
        return True

    def _look_while_paused(self) -> bool:
        """Timers go on while it is paused; nothing is invoked."""
        with self.stored.lock:
            record, now = self.stored.record, self.clock.now()
            if record.status is not ExecutionStatus.PAUSED or record.due_at is None or record.due_at > now:
                return False
            if moves.is_past_deadline(record, now):
                self._end(ExecutionStatus.TIMED_OUT)
                return True
            self.stored.fire_due_timers(now)
            self.stored.record = replace(self.stored.record, due_at=self.stored.next_due())
            return True

    def tell_parent(self) -> bool:
        """A child that ended completes its parent's operation, once; True when it did so now."""
        record = self.stored.record
        if self.parent is None or not self.owes_parent or not record.status.is_terminal:
            return False
        self.owes_parent = False
        parent, operation_id = self.parent
        parent.child_ended(operation_id, record, self.stored.redrive_count)
        return True

    def child_ended(self, operation_id: str, child: ExecutionRecord, redrives: int) -> None:
        status, now = OperationStatus(child.status), self.clock.now()
        error = TIMEOUT_ERROR if status is OperationStatus.TIMED_OUT else child.error
        failure = None if status is OperationStatus.SUCCEEDED else error or ErrorObject()
        with self.stored.lock:
            operation = self.stored.operations.get(operation_id)
            is_awaited = operation is not None and operation.options.child_id == str(child.id) and redrives >= operation.options.redrives
            if operation is None or not is_awaited or self.stored.record.status.is_terminal:
                return
            transition = chained_invoke.complete(operation, status, now, payload=child.result, error=failure)
            if transition is not None:
                self._wake_by(lambda: self.stored.write((transition,), by_claim=False))

    def redrive(self, asked: Asked) -> None:
        with self.stored.lock:
            redrive.refuse(self.stored.record, asked.from_operation)
            waiting = memory_repairs.reopen(self.stored, self.clock.now(), asked, self._redrives_wanted)
        self.owes_parent = True
        for operation_id in waiting:
            self._redrive_child(self.stored.operations[operation_id])
        self.run()

    def fork(self, from_operation: str | None, name: str | None, input_text: str | None) -> "MemoryExecution":
        return self.engine.fork(self, from_operation, name, input_text)

    def _redrives_wanted(self, child_id: str) -> int | None:
        child = self.engine.child_of(self, child_id)
        return None if child is None else child.stored.redrive_count + child.stored.record.status.is_terminal

    def _redrive_child(self, operation: OperationRecord) -> None:
        child = self.engine.child_of(self, operation.options.child_id or "")
        if child is None or not child.stored.record.status.is_terminal:
            return
        stored = child.stored
        if stored.record.status is not ExecutionStatus.SUCCEEDED and stored.redrive_count < operation.options.redrives:
            child.redrive(Asked(reason="its parent was redriven"))
        else:
            stored.redrive_count = max(stored.redrive_count, operation.options.redrives)
            child.owes_parent = True

    def next_moment(self) -> datetime | None:
        """When time will next move it: its own due moment, or under a claim its nearest timer."""
        record = self.stored.record
        if record.status.is_terminal:
            return None
        return record.due_at if record.claim_id is None else self.stored.nearest_timer()

    def fire_in_flight(self) -> None:
        """Under a claim the invocation's own runtime fires what is due."""
        with self.stored.lock:
            if self.stored.record.claim_id is not None and not self.stored.record.status.is_terminal:
                self.stored.fire_due_timers(self.clock.now())

    def _claim(self) -> bool:
        with self.stored.lock:
            record = self.stored.record
            is_due = record.due_at is not None and record.due_at <= self.clock.now()
            if record.claim_id is not None or record.status is not ExecutionStatus.RUNNING or not is_due:
                return False
            self.stored.record = replace(record, claim_id=uuid4())
            return True

    def _serve_claim(self) -> None:
        stored, now = self.stored, self.clock.now()
        with stored.lock:
            if moves.is_past_deadline(stored.record, now):
                self._end(ExecutionStatus.TIMED_OUT)
                return
            stored.fire_due_timers(now)
            if stored.record.wake_seq == stored.record.told_seq:
                stored.record = replace(stored.record, claim_id=None, due_at=stored.next_due())
                return
            stored.record = replace(stored.record, invocation_started_at=now)
            stored.request_id = uuid4()
        start_child = partial(self.engine.start_child, self)
        self._invoke(MemoryJournal(stored, self.clock, start_child=start_child, crash=self.engine.take_crash(), desk=self.desk))

    def _invoke(self, journal: MemoryJournal) -> None:
        told = self.stored.record.told_seq
        news = [o.id for o in journal.operations.values() if o.wake_seq is not None and o.wake_seq > told]
        claim_id = self.stored.record.claim_id
        try:
            outcome = runner_of(self.function)(
                self.function,
                journal,
                self.stored.record.input,
                updated_operation_ids=news,
                is_replaying=bool(journal.operations),
                lambda_context=LambdaContext.of(
                    self.function, journal.execution_arn, request_id=str(self.stored.request_id), tenant_id=self.tenant_id
                ),
            )
        except ProcessDeath:
            outcome = HandlerOutcome(InvocationStatus.FAILED, None, moves.EXIT_ERROR, invocation_failed=True)
        except InvocationInterrupt:
            return
        with self.stored.lock:
            if self.stored.record.claim_id == claim_id:
                self._settle(outcome, self.stored.record.told_seq if journal.is_cut else journal.told)

    def _settle(self, outcome: HandlerOutcome, told: int) -> None:
        """The invocation's end: a time-out goes before any success."""
        stored, now = self.stored, self.clock.now()
        if outcome.result is not None and (error := too_large(outcome.result, largest_payload())) is not None:
            outcome = HandlerOutcome(InvocationStatus.FAILED, error=error)
        if moves.is_past_deadline(stored.record, now):
            self._end(ExecutionStatus.TIMED_OUT)
        elif outcome.invocation_failed:
            stored.move(moves.fail_invocation(stored.record, outcome.error or ErrorObject(), now, stored.request_id))
        elif outcome.status is InvocationStatus.PENDING:
            record = replace(stored.record, told_seq=told)
            stored.move(moves.suspend(record, stored.nearest_timer(), now, stored.request_id))
        else:
            self._end(ExecutionStatus(outcome.status), result=outcome.result, error=outcome.error)
        if stored.record.status is ExecutionStatus.PAUSING:
            stored.move(pausing.settle(stored.record, stored.nearest_timer(), stored.pause))
