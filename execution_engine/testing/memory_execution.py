"""One execution's life in memory: claims, invocations and timers, by the rules of the worker."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationUpdate
from execution_engine.core.transitions import chained_invoke, pausing
from execution_engine.core.transitions import execution as moves
from execution_engine.invocation.runners import runner_of
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.testing.memory_commands import MemoryCommands
from execution_engine.testing.memory_journal import MemoryJournal, ProcessDeath

TIMEOUT_ERROR = ErrorObject(message="The invoked execution timed out", type="ChainedInvoke.Timeout")


@dataclass
class MemoryExecution(MemoryCommands):
    """A stored execution and the function that serves it.

    `parent` is the execution and the operation that wait for it as a chained invoke.
    """

    function: RegisteredFunction
    start_child: Callable[["MemoryExecution", OperationUpdate], OperationUpdate]
    tenant_id: str | None = None
    dies_after: int | None = None
    parent: tuple["MemoryExecution", str] | None = None

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
        if self.parent is None or not record.status.is_terminal:
            return False
        (parent, operation_id), self.parent = self.parent, None
        parent.child_ended(operation_id, record)
        return True

    def child_ended(self, operation_id: str, child: ExecutionRecord) -> None:
        status, now = OperationStatus(child.status), self.clock.now()
        error = TIMEOUT_ERROR if status is OperationStatus.TIMED_OUT else child.error
        failure = None if status is OperationStatus.SUCCEEDED else error or ErrorObject()
        operation = self.stored.operations[operation_id]
        with self.stored.lock:
            transition = chained_invoke.complete(operation, status, now, payload=child.result, error=failure)
            if transition is not None and not self.stored.record.status.is_terminal:
                self._wake_by(lambda: self.stored.write((transition,), by_claim=False))

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
        start_child = partial(self.start_child, self)
        self._invoke(MemoryJournal(
                stored, self.clock, start_child=start_child, dies_after=self.dies_after, desk=self.desk
            ))

    def _invoke(self, journal: MemoryJournal) -> None:
        told = self.stored.record.told_seq
        news = [o.id for o in journal.operations.values() if o.wake_seq is not None and o.wake_seq > told]
        self.dies_after = None
        claim_id = self.stored.record.claim_id
        try:
            outcome = runner_of(self.function)(
                self.function,
                journal,
                self.stored.record.input,
                updated_operation_ids=news,
                is_replaying=bool(journal.operations),
                tenant_id=self.tenant_id,
                request_id=str(self.stored.request_id),
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
