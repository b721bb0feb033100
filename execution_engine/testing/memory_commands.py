"""What outsiders do to an execution in memory, by the rules of the services: answers, signals, pauses, stops."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.core.errors import CallbackCompletedError, CallbackNotFoundError, ExecutionNotPausedError
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord
from execution_engine.core.transitions import callback, pausing
from execution_engine.core.transitions import execution as moves
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.services.checks import check_error
from execution_engine.testing.bounds import check_payload
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.memory_desk import MemoryDesk
from execution_engine.testing.memory_store import StoredExecution


@dataclass
class MemoryCommands:
    """A stored execution as outsiders see it. Whatever makes something due calls `run`, the engine's loop."""

    stored: StoredExecution
    clock: VirtualClock
    run: Callable[[], None]

    @cached_property
    def desk(self) -> MemoryDesk:
        return MemoryDesk(lambda callback_id, text: self.complete_callback(callback_id, text, None), self.clock.now)

    @property
    def record(self) -> ExecutionRecord:
        return self.stored.record

    @property
    def arn(self) -> str:
        return self.stored.arn

    @property
    def seed(self) -> UUID | None:
        return self.stored.seed

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

    def complete_callback(self, callback_id: str, payload: str | None, error: ErrorObject | None) -> None:
        check_payload(payload, "result")
        check_error(error)

        def change(operation: OperationRecord) -> None:
            self.stored.write((callback.complete(operation, self.clock.now(), payload=payload, error=error),), by_claim=False)

        self._answer(callback_id, change)

    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        self.desk.decide(callback_id, decision)

    def heartbeat(self, callback_id: str) -> None:
        self._answer(callback_id, lambda found: self.stored.touch(callback.heartbeat(found, self.clock.now()).record))

    def signal(self, name: str, payload: str | None) -> None:
        check_payload(payload, "payload")

        def change() -> None:
            self.stored.signals.setdefault(name, deque()).append(payload)
            self.stored.deliver_signals(self.clock.now())

        self._from_outside(change)

    def pause(self, reason: str) -> None:
        """PAUSED, or PAUSING while its handler runs: that unwinds at its next checkpoint. Pausing again changes nothing."""

        def change() -> None:
            if self.stored.record.status is ExecutionStatus.RUNNING:
                self.stored.pause = {"PauseRequestTimestamp": self.clock.now().isoformat(), **_reason(reason)}
                self.stored.move(pausing.request(self.stored.record, self.stored.nearest_timer(), self.stored.pause))

        self._from_outside(change)

    def resume(self, reason: str) -> None:
        def change() -> None:
            record, now = self.stored.record, self.clock.now()
            if record.status is ExecutionStatus.RUNNING:
                raise ExecutionNotPausedError("the execution is not paused", execution_id=str(record.id))
            details = {"ResumeRequestTimestamp": now.isoformat(), **_reason(reason)}
            self.stored.move(pausing.resume(record, self.stored.nearest_timer(), now, details))

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

    def _end(self, status: ExecutionStatus, *, result: str | None = None, error: ErrorObject | None = None) -> None:
        stored = self.stored
        stored.move(moves.end(stored.record, status, self.clock.now(), result=result, error=error, request_id=stored.request_id))


def _reason(reason: str) -> dict[str, str]:
    return {"Reason": reason} if reason else {}
