"""The journal of one invocation, in memory: what `journal/` and PostgreSQL are in production."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import TypeVar
from uuid import UUID, uuid4

from execution_engine.core.enums import ExecutionStatus, OperationAction, OperationStatus, OperationType
from execution_engine.core.errors import ClaimLostError, IllegalTransitionError
from execution_engine.core.records import ErrorObject, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions import apply_update, chained_invoke
from execution_engine.core.transitions import execution as execution_moves
from execution_engine.invocation.sink import check_payload
from execution_engine.sdk import ports
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.errors import CheckpointError
from execution_engine.sdk.ports import ApprovalDesk, ApprovalPlace
from execution_engine.sdk.suspend import SuspendExecution
from execution_engine.testing.bounds import largest_payload
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.crash import Crash, ProcessDeath
from execution_engine.testing.memory_store import StoredExecution

T = TypeVar("T")


StartChild = Callable[[OperationUpdate], OperationUpdate]
"""Starts the execution that an invoke asks for and answers the update with its version and ARN, without them when nobody knows it."""


class MemoryJournal:
    """A `sdk.sink.Sink` over one `StoredExecution` under one claim.

    Every update is durable when its call returns, a held START too: the virtual clock stands still meanwhile, so nobody
    can tell the difference. `operations` is what the invocation has been told, which can lag behind the store.
    """

    def __init__(
        self,
        stored: StoredExecution,
        clock: VirtualClock,
        *,
        start_child: StartChild | None = None,
        crash: Crash | None = None,
        desk: ApprovalDesk | None = None,
    ) -> None:
        self._stored = stored
        self._clock = clock
        self._claim_id = stored.record.claim_id
        self._start_child = start_child
        self._crash = crash
        self._desk = desk
        self.is_cut = False
        """A pause ended the invocation before it had looked at everything: it is owed another one."""
        self._queue = RLock()
        self._view: dict[str, OperationRecord] = {}
        self._told = stored.record.told_seq
        self._merge()

    @property
    def execution_id(self) -> UUID:
        return self._stored.record.id

    @property
    def seed(self) -> UUID | None:
        return self._stored.seed

    @property
    def execution_arn(self) -> str:
        return self._stored.arn

    @property
    def operations(self) -> Mapping[str, OperationRecord]:
        return self._view

    @property
    def started_at(self) -> datetime:
        return self._stored.record.started_at

    def now(self) -> datetime:
        return self._clock.now()

    @property
    def told(self) -> int:
        """The execution's `wake_seq` when this invocation last looked."""
        return self._told

    def checkpoint(self, *updates: OperationUpdate) -> None:
        with self._queue:
            self._record(updates)
            self._perhaps_die()
            begins_body = updates[-1].type is OperationType.STEP and updates[-1].action is OperationAction.START
            if self._stored.record.status is ExecutionStatus.PAUSING and not begins_body:
                self.is_cut = True
                raise SuspendExecution("the execution is being paused")

    def hold(self, update: OperationUpdate) -> None:
        with self._queue:
            self._record((update,))
            self._perhaps_die()

    def refresh(self) -> None:
        with self._queue:
            self._perhaps_die(before=True)
            with self._stored.lock:
                self._fence()
                self._stored.fire_due_timers(self._clock.now())
                self._commit(())
            self._perhaps_die()

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        with self._queue:
            with _django_transaction():
                update, value = finish()
                self._record((update,) if start is None else (start, update))
            self._perhaps_die()
        return value

    def ask(self, start: OperationUpdate | None, request: ApprovalRequest, place: ApprovalPlace) -> None:
        (self._desk or ports.approval_desk()).ask(request, place)
        if start is not None:
            self.checkpoint(start)

    def set_status(self, text: str) -> None:
        self._stored.status_text = text

    def set_attributes(self, attributes: Mapping[str, str | int | float | bool | None]) -> None:
        self._stored.attributes.update(attributes)

    def _fence(self) -> None:
        record, now = self._stored.record, self._clock.now()
        if record.claim_id == self._claim_id and execution_moves.is_past_deadline(record, now):
            self._stored.move(execution_moves.end(record, ExecutionStatus.TIMED_OUT, now, request_id=self._stored.request_id))
        if self._stored.record.claim_id != self._claim_id or self._stored.record.status.is_terminal:
            raise ClaimLostError(f"execution {record.id} is {self._stored.record.status} or claimed by another")

    def _record(self, updates: Sequence[OperationUpdate]) -> None:
        self._perhaps_die(before=True)
        with self._stored.lock:
            self._fence()
            for update in updates:
                if update.payload is not None:
                    check_payload(update, largest_payload())
            try:
                transitions = self._plan([self._with_child(update) for update in updates])
            except IllegalTransitionError as error:
                raise CheckpointError(error.message, is_client_error=True) from error
            self._commit(transitions)

    def _with_child(self, update: OperationUpdate) -> OperationUpdate:
        is_invoke = update.type is OperationType.CHAINED_INVOKE and update.action is OperationAction.START
        return self._start_child(update) if is_invoke and self._start_child is not None else update

    def _plan(self, updates: Iterable[OperationUpdate]) -> list[Transition]:
        """All the moves or none: a later one may build on an earlier one of the same call."""
        now, staged, transitions = self._clock.now(), dict(self._stored.operations), list[Transition]()
        for update in updates:
            transition = apply_update(staged.get(update.id), update, now)
            staged[update.id] = transition.record
            transitions.append(transition)
            if update.type is OperationType.CHAINED_INVOKE and update.options.child is None and self._start_child is not None:
                transitions.append(_unknown_target(transition.record, now))
        return transitions

    def _commit(self, transitions: Iterable[Transition]) -> None:
        stored = self._stored
        stored.write(transitions, by_claim=True)
        stored.deliver_signals(self._clock.now())
        stored.record = replace(stored.record, checkpoint_seq=stored.record.checkpoint_seq + 1)
        self._merge()

    def _merge(self) -> None:
        self._view.update(self._stored.operations)
        self._told = self._stored.record.wake_seq

    def _perhaps_die(self, *, before: bool = False) -> None:
        if self._crash is not None and self._crash.is_now(before=before):
            self._claim_id = uuid4()
            raise ProcessDeath


def _unknown_target(record: OperationRecord, now: datetime) -> Transition:
    """The invoke is answered in its own checkpoint."""
    error = ErrorObject(message=f"no worker has registered {record.options.function}", type="ResourceNotFoundException")
    transition = chained_invoke.complete(record, OperationStatus.FAILED, now, error=error)
    assert transition is not None
    return transition


def _django_transaction() -> AbstractContextManager[object]:
    """The ORM writes of an atomic step are real where there is a Django to write with."""
    from django.conf import settings  # the kit also serves tests of handlers that know no Django

    if not settings.configured:
        return nullcontext()
    from django.db import transaction

    return transaction.atomic()
