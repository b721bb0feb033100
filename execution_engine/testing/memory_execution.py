"""One execution's life in memory: claims, invocations and answers from outside, by the rules of worker and services."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError, InvocationInterrupt
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord, OperationUpdate
from execution_engine.core.transitions import callback, chained_invoke
from execution_engine.core.transitions import execution as moves
from execution_engine.invocation.runners import runner_of
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.memory_journal import MemoryJournal, ProcessDeath
from execution_engine.testing.memory_store import StoredExecution

TIMEOUT_ERROR = ErrorObject(message="The invoked execution timed out", type="ChainedInvoke.Timeout")


@dataclass
class MemoryExecution:
    """A stored execution and the function that serves it. Whatever makes something due calls `run`, the engine's loop.

    `parent` is the execution and the operation that wait for it as a chained invoke.
    """

    stored: StoredExecution
    function: RegisteredFunction
    clock: VirtualClock
    run: Callable[[], None]
    start_child: Callable[["MemoryExecution", OperationUpdate], OperationUpdate]
    tenant_id: str | None = None
    dies_after: int | None = None
    parent: tuple["MemoryExecution", str] | None = None

    @property
    def record(self) -> ExecutionRecord:
        return self.stored.record

    @property
    def arn(self) -> str:
        return self.stored.arn

    @property
    def operations(self) -> Sequence[OperationRecord]:
        return list(self.stored.operations.values())

    @property
    def status_text(self) -> str:
        return self.stored.status_text

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.stored.attributes)

    def events(self) -> list[dict[str, Any]]:
        return self.stored.events()

    def run_once(self) -> bool:
        """Claims and serves it when it is due; True when it was."""
        if not self._claim():
            return False
        self._serve_claim()
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

    def complete_callback(self, callback_id: str, payload: str | None, error: ErrorObject | None) -> None:
        def change(operation: OperationRecord) -> None:
            self.stored.write((callback.complete(operation, self.clock.now(), payload=payload, error=error),), by_claim=False)

        self._answer(callback_id, change)

    def heartbeat(self, callback_id: str) -> None:
        self._answer(callback_id, lambda found: self.stored.touch(callback.heartbeat(found, self.clock.now()).record))

    def signal(self, name: str, payload: str | None) -> None:
        def change() -> None:
            self.stored.signals.setdefault(name, deque()).append(payload)
            self.stored.deliver_signals(self.clock.now())

        self._from_outside(change)

    def stop(self, error: ErrorObject | None) -> None:
        self._from_outside(lambda: self._end(ExecutionStatus.STOPPED, error=error))

    def _from_outside(self, change: Callable[[], None]) -> None:
        with self.stored.lock:
            if moves.is_past_deadline(self.stored.record, self.clock.now()):
                self._end(ExecutionStatus.TIMED_OUT)
            moves.refuse_ended(self.stored.record)
            self._wake_by(change)
        self.run()

    def _answer(self, callback_id: str, change: Callable[[OperationRecord], None]) -> None:
        with self.stored.lock:
            operation = self._open_callback(callback_id)
            self._wake_by(lambda: change(operation))
        self.run()

    def _wake_by(self, change: Callable[[], None]) -> None:
        wake_seq = self.stored.record.wake_seq
        change()
        record = self.stored.record
        if record.wake_seq != wake_seq and record.claim_id is None:
            self.stored.record = replace(record, due_at=self.clock.now())

    def _open_callback(self, callback_id: str) -> OperationRecord:
        """The operation; whether it is still open is for its transition to say, unless its execution is over."""
        record = self.stored.record
        found = next((o for o in self.stored.operations.values() if o.callback_id == callback_id), None)
        if found is None:
            raise CallbackNotFoundError("there is no such callback", callback_id=callback_id)
        if moves.is_past_deadline(record, self.clock.now()):
            raise CallbackCompletedError("the callback's execution has timed out", callback_status="TIMED_OUT")
        if record.status.is_terminal and found.status is OperationStatus.STARTED:
            raise CallbackCompletedError(f"the callback's execution is {record.status}", callback_status=str(record.status))
        return found

    def _claim(self) -> bool:
        with self.stored.lock:
            record = self.stored.record
            if record.claim_id is not None or record.due_at is None or record.due_at > self.clock.now():
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
        self._invoke(MemoryJournal(stored, self.clock, start_child=start_child, dies_after=self.dies_after))

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
                self._settle(outcome, journal.told)

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

    def _end(self, status: ExecutionStatus, *, result: str | None = None, error: ErrorObject | None = None) -> None:
        stored = self.stored
        stored.move(moves.end(stored.record, status, self.clock.now(), result=result, error=error, request_id=stored.request_id))
