"""A journal in dictionaries for the tests of the SDK: core's transitions, a clock that jumps, a log of what was written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any
from uuid import UUID

from execution_engine.core.enums import InvocationStatus, OperationSubType, OperationType
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate
from execution_engine.core.transitions import apply_update, callback, fire_timer
from execution_engine.sdk import ports
from execution_engine.sdk.registry import describe
from execution_engine.sdk.runner import HandlerOutcome, run_handler

START = datetime(2026, 1, 1, tzinfo=UTC)


class Crash(InvocationInterrupt):
    """The process is gone."""


class Journal:
    """One execution. `written` lists every update that became durable, in order; `crash_after` stops before the next."""

    def __init__(self, handler: Callable[..., Any], event: str | None = None) -> None:
        self.function = describe(handler)
        self.event = event
        self.time = START
        self.lock = RLock()
        self.updated: tuple[str, ...] = ()
        self.durable: dict[str, OperationRecord] = {}
        self.operations: dict[str, OperationRecord] = {}
        self.held: list[OperationUpdate] = []
        self.written: list[OperationUpdate] = []
        self.checkpoints = 0
        self.crash_after: int | None = None
        self.status_texts: list[str] = []
        self.attributes: dict[str, Any] = {}
        self.signals: list[tuple[str, str | None]] = []
        self.execution_id = UUID(int=7)
        self.execution_arn = f"arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/n/{self.execution_id}"
        self.started_at = START

    def now(self) -> datetime:
        return self.time

    def checkpoint(self, *updates: OperationUpdate) -> None:
        with self.lock:
            for update in (*self.held, *updates):
                if self.crash_after is not None and len(self.written) >= self.crash_after:
                    raise Crash
                self._apply(update)
            self.held = []
            self.checkpoints += 1

    def hold(self, update: OperationUpdate) -> None:
        with self.lock:
            self.operations[update.id] = apply_update(self.operations.get(update.id), update, self.time).record
            self.held.append(update)

    def refresh(self) -> None:
        self.fire()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, Any]]) -> Any:
        with self.lock:
            update, value = finish()
        self.checkpoint(*([start] if start else []), update)
        return value

    def ask(self, start: OperationUpdate | None, request: Any, place: Any) -> None:
        ports.approval_desk().ask(request, place)
        if start is not None:
            self.checkpoint(start)

    def set_status(self, text: str) -> None:
        self.status_texts.append(text)

    def set_attributes(self, attributes: Any) -> None:
        self.attributes.update(attributes)

    def invoke(self) -> HandlerOutcome:
        """One invocation, from the durable records, as after a restart."""
        self.operations = dict(self.durable)
        self.held = []
        outcome = run_handler(self.function, self, self.event, updated_operation_ids=self.updated, is_replaying=bool(self.durable))
        if outcome.status is InvocationStatus.PENDING:
            self.checkpoint()
        return outcome

    def run(self) -> HandlerOutcome:
        """Invokes, skipping time to the next timer, until the end or until only an outsider can help."""
        while True:
            outcome = self.invoke()
            if outcome.status is not InvocationStatus.PENDING or not self.skip():
                return outcome

    def skip(self) -> bool:
        due = [record.due_at for record in self.durable.values() if record.due_at is not None and not record.is_terminal]
        if not due:
            return False
        self.time = max(self.time, min(due))
        self.fire()
        return True

    def fire(self) -> None:
        for record in list(self.durable.values()):
            moved = fire_timer(record, self.time)
            if moved is not None:
                self._store(moved.record)

    def pending(self) -> OperationRecord:
        return next(r for r in self.durable.values() if r.type is OperationType.CALLBACK and not r.is_terminal)

    def answer(self, payload: str | None = None, error: ErrorObject | None = None, *, after: int = 0) -> None:
        self.time += timedelta(seconds=after)
        self._store(callback.complete(self.pending(), self.time, payload=payload, error=error).record)

    def named(self, name: str) -> OperationRecord:
        return next(record for record in self.durable.values() if record.name == name)

    def _apply(self, update: OperationUpdate) -> None:
        self.time += timedelta(milliseconds=1)
        record = apply_update(self.durable.get(update.id), update, self.time).record
        self.written.append(update)
        self._store(record)
        if record.sub_type == OperationSubType.SIGNAL:
            for signal in [signal for signal in self.signals if signal[0] == record.options.signal][:1]:
                self.signals.remove(signal)
                self._store(callback.complete(record, self.time, payload=signal[1]).record)

    def _store(self, record: OperationRecord) -> None:
        self.durable[record.id] = self.operations[record.id] = record
