"""What travels in a flush, and how it changes the rows it meets."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TypeVar
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus, OperationType
from execution_engine.core.records import ErrorObject, ExecutionRecord, HistoryEvent, OperationRecord, Transition
from execution_engine.core.transitions import execution as moves
from execution_engine.core.transitions import pausing
from tests.simulation.database import Fits, Key, Transaction, execution_key
from tests.simulation.rows import Row
from tests.simulation.variants import Variant

R = TypeVar("R", bound=ExecutionRecord)


class Ending(Enum):
    SUSPEND = "suspend"
    END = "end"
    FAIL_INVOCATION = "fail"
    HAND_BACK = "hand back"
    """The claim goes without an invocation: a timer woke nobody."""


@dataclass(frozen=True)
class Release:
    ending: Ending
    told: int
    nearest_timer: datetime | None = None
    status: ExecutionStatus = ExecutionStatus.SUCCEEDED
    error: ErrorObject = field(default_factory=ErrorObject)

    def apply(self, row: ExecutionRecord, now: datetime, variant: Variant) -> moves.ExecutionTransition:
        if variant is Variant.KEY_SHARE_FENCE:
            row = replace(row, status=ExecutionStatus.RUNNING)  # SQL would not look again either
        if self.ending is Ending.END:
            return moves.end(row, self.status, now, error=self.error)
        if self.ending is Ending.FAIL_INVOCATION:
            return moves.fail_invocation(row, self.error, now, None)
        told = row.wake_seq if variant is Variant.WAKE_NOT_COMPARED else self.told
        transition = moves.suspend(replace(row, told_seq=told), self.nearest_timer, now, None)
        if self.ending is Ending.SUSPEND:
            return transition
        return moves.ExecutionTransition(transition.record, ())


@dataclass(frozen=True)
class Entry:
    """One execution's part of a flush. `by_time` moves raise `wake_seq`; `expect_wake` refuses them when it moved before."""

    execution: int
    claim_id: UUID
    checkpoint_seq: int | None
    transitions: tuple[Transition, ...] = ()
    by_time: bool = False
    expect_wake: int | None = None
    release: Release | None = None
    goes_alone: bool = False

    @property
    def suspends(self) -> bool:
        """Gives the claim back without an end; while a pause is asked for, the slow path settles it with that."""
        return self.release is not None and self.release.ending is not Ending.END

    def holds_claim(self, row: ExecutionRecord) -> bool:
        return row.claim_id == self.claim_id and self.checkpoint_seq in (None, row.checkpoint_seq)

    def fence(self, now: datetime) -> Fits:
        """What a flush compares: claim, sequence, status, deadline, and for what time moved, `wake_seq`."""
        return lambda row: (
            self.holds_claim(row)
            and (row.status is ExecutionStatus.RUNNING or (row.status is ExecutionStatus.PAUSING and not self.suspends))
            and not moves.is_past_deadline(row, now)
            and self.expect_wake in (None, row.wake_seq)
        )


def record_entry(
    transaction: Transaction, entry: Entry, row: ExecutionRecord, transitions: Iterable[Transition], now: datetime, variant: Variant
) -> ExecutionRecord:
    """The writes of one entry whose execution is locked; returns the execution's new row."""
    transaction.claims[entry.execution] = entry.claim_id
    was_pausing = row.status is ExecutionStatus.PAUSING
    row = replace(row, checkpoint_seq=row.checkpoint_seq + 1)
    row = write_moves(transaction, entry.execution, row, transitions, wakes=entry.by_time)
    if entry.release is not None:
        row = write_ending(transaction, entry.execution, entry.release.apply(row, now, variant))
        if was_pausing and entry.suspends and not row.status.is_terminal:
            row = write_ending(transaction, entry.execution, pausing.settle(row, entry.release.nearest_timer, {}))
    transaction.write(execution_key(entry.execution), row)
    return row


def write_moves(
    transaction: Transaction, execution: int, row: ExecutionRecord, transitions: Iterable[Transition], *, wakes: bool
) -> ExecutionRecord:
    """Operations and their events; `wakes` for moves from outside or by time. The caller writes the returned row."""
    for transition in transitions:
        operation = transition.record
        if wakes:
            row = replace(row, wake_seq=row.wake_seq + 1)
            operation = replace(operation, wake_seq=row.wake_seq)
        known = transaction.read(operation_key(execution, operation), transaction.snapshot())
        operation = replace(operation, start_event=row.event_seq + 1 if known is None else known.start_event)
        transaction.write(operation_key(execution, operation), operation)
        row = number_events(transaction, execution, row, transition.events)
    return row


def write_ending(transaction: Transaction, execution: int, transition: moves.ExecutionTransition) -> ExecutionRecord:
    row = number_events(transaction, execution, transition.record, transition.events)
    if row.status.is_terminal and isinstance(row, Row) and row.parent is not None:
        row = replace(row, owes_parent=True)
    transaction.write(execution_key(execution), row)
    return row


def start_children(transaction: Transaction, entry: Entry, now: datetime) -> list[int]:
    """The executions that the entry's invokes ask for, in the commit of their parent's START; their numbers."""
    started = [move.record for move in entry.transitions if move.record.type is OperationType.CHAINED_INVOKE]
    for operation in started:
        identity = UUID(operation.options.child_id)
        child = Row(
            id=identity,
            function="child",
            version="1",
            name=str(identity.int),
            status=ExecutionStatus.RUNNING,
            started_at=now,
            due_at=now,
            parent=entry.execution,
            parent_operation=operation.id,
        )
        events = (HistoryEvent(EventType.EXECUTION_STARTED),)
        transaction.write(execution_key(identity.int), number_events(transaction, identity.int, child, events))
    return [UUID(operation.options.child_id).int for operation in started]


def operation_key(execution: int, operation: OperationRecord) -> Key:
    return ("operation", execution, operation.id)


def number_events(transaction: Transaction, execution: int, row: R, events: Iterable[HistoryEvent]) -> R:
    for event in events:
        row = replace(row, event_seq=row.event_seq + 1)
        transaction.append(execution, row.event_seq, event)
    return row
