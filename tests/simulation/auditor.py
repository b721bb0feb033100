"""The invariants of the reliability note, section 3, judged at every commit and once more when everything has ended."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from execution_engine.core.enums import TERMINAL_EVENT_TYPES, EventType, ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.records import OperationRecord
from execution_engine.core.transitions.execution import RETRY_INVOCATION_SECONDS
from tests.simulation.database import Database, Transaction, execution_key
from tests.simulation.ledger import BrokenInvariantError, Ledger, Told
from tests.simulation.rows import Row

GONE = "ChainedInvoke.Gone"
_STARTS = frozenset(kind for kind in EventType if kind.endswith("Started"))
_IDENTITY = ("id", "type", "sub_type", "name", "parent_id", "options", "callback_id", "started_at")


class Auditor:
    """Hooked into the database; raises `BrokenInvariantError` inside the commit that breaks a promise."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claims: dict[int, set[UUID]] = defaultdict(set)
        self._dead: set[UUID] = set()
        """Claims from before a redrive: whoever held them may write nothing any more."""
        self._started: dict[int, set[str | None]] = defaultdict(set)

    def check_commit(self, transaction: Transaction) -> None:
        self._check_events(transaction)
        for key, row in transaction.writes.items():
            before = self._database.latest(key)
            if key[0] == "execution":
                self._check_execution(transaction, key[1], before, row)
            elif key[0] == "operation" and key[1] not in transaction.repairs:
                self._check_operation(transaction, key[1], before, row)

    def _check_events(self, transaction: Transaction) -> None:
        written = Counter[int]()
        for execution, event_id, event in transaction.events:
            history = self._database.history[execution]
            written[execution] += 1
            demand(event_id == len(history) + written[execution], f"S9: event {event_id} of {execution} is not the next one")
            is_over = bool(history) and history[-1].type in TERMINAL_EVENT_TYPES
            demand(not is_over or execution in transaction.repairs, f"S4: {event.type} after the end of {execution}")
            if event.operation_id is not None and event.type not in _STARTS:
                demand(event.operation_id in self._started[execution], f"S9: {event.type} of {event.operation_id} before its start")
            self._started[execution].add(event.operation_id)

    def _check_execution(self, transaction: Transaction, number: int, before: Row | None, after: Row | None) -> None:
        if before is None:
            return
        if after is None:
            demand(before.status.is_terminal, f"S4: the open execution {number} was removed")
            return
        if before.status.is_terminal:
            self._check_ended(transaction, number, before, after)
            return
        events = len(self._database.history[number]) + sum(1 for execution, *_ in transaction.events if execution == number)
        demand(after.event_seq == events, f"S9: event_seq {after.event_seq}, but {events} events")
        demand(after.wake_seq >= before.wake_seq and after.checkpoint_seq >= before.checkpoint_seq, "sequences go forward only")
        claim_id = transaction.claims.get(number)
        if claim_id is not None:
            demand(before.claim_id == claim_id, f"S3: a write under a claim that execution {number} no longer has")
            in_order = after.checkpoint_seq == before.checkpoint_seq + 1 or after.status is ExecutionStatus.TIMED_OUT
            demand(in_order, f"S3: a checkpoint of {number} was not built on the one before")
            demand(claim_id not in self._dead, f"S3: a write under a claim from before {number} was redriven")
        if after.claim_id is not None and after.claim_id != before.claim_id:
            demand(before.claim_id is None and after.claim_id not in self._claims[number], "S3: a claim was taken twice")
            self._claims[number].add(after.claim_id)
        if after.status is ExecutionStatus.PAUSED:
            demand(after.claim_id is None, f"L4: {number} is paused, but somebody holds its claim")
        if after.status is ExecutionStatus.RUNNING and after.claim_id is None:
            self._check_somebody_comes(transaction, number, after)

    def _check_ended(self, transaction: Transaction, number: int, before: Row, after: Row) -> None:
        """An end is final, but for a redrive and for the marks of families."""
        if number in transaction.repairs:
            demand(after.redrive_count == before.redrive_count + 1, f"S4: the redrive of {number} is not the next one")
            self._dead |= self._claims[number]
            return
        marks = replace(before, owes_parent=after.owes_parent, owes_child=after.owes_child, redrive_count=after.redrive_count)
        demand(marks == after, f"S4: the ended execution {number} was written again")

    def _check_somebody_comes(self, transaction: Transaction, number: int, row: Row) -> None:
        """L1: due at a known moment, or waiting for an outsider; and an owed invocation is due now."""
        if row.wake_seq != row.told_seq:
            latest = self._database.scheduler.now + timedelta(seconds=RETRY_INVOCATION_SECONDS)
            demand(row.due_at is not None and row.due_at <= latest, f"L1: execution {number} is owed an invocation that never comes")
        if row.due_at is None:
            operations = (row for _, row in transaction.rows("operation", number, self._database.commits))
            demand(any(_waits_for_outsider(operation) for operation in operations), f"L1: nobody ever wakes execution {number}")

    def _check_operation(
        self, transaction: Transaction, number: int, before: OperationRecord | None, after: OperationRecord | None
    ) -> None:
        if after is None:
            is_removed = transaction.writes.get(execution_key(number), 0) is None
            demand(is_removed, f"S1: an operation of {number} was removed without it")
            return
        if after.status in (OperationStatus.READY, OperationStatus.TIMED_OUT) or (after.type is OperationType.WAIT and after.is_terminal):
            demand(before is not None and _was_due(before, self._database.scheduler.now), f"S8: the timer of {after.id} fired early")
        if before is None:
            return
        demand(not before.is_terminal, f"S1: the ended operation {after.id} of {number} was written again")
        if after.type is OperationType.CHAINED_INVOKE and after.is_terminal and not (after.error and after.error.type == GONE):
            child = self._database.latest(execution_key(UUID(after.options.child_id).int))
            is_asked = child is not None and child.redrive_count >= after.options.redrives
            demand(is_asked, f"S5: {number} was told of an end of its child from before the redrive")
        same = all(getattr(before, field) == getattr(after, field) for field in _IDENTITY)
        demand(same, f"S1: operation {after.id} of {number} changed its identity")
        demand(after.attempt >= before.attempt, f"S1: operation {after.id} of {number} forgot an attempt")


def check_end(database: Database, ledger: Ledger, executions: list[int]) -> None:
    """When nothing more can happen: everything ended (L1, L2), once per redrive (S4), and every caller was told the truth (S5)."""
    for number in executions:
        row = database.latest(execution_key(number))
        if row is None:
            continue  # purged, or its start was rolled back
        demand(row.status.is_terminal, f"L1: execution {number} is stuck: {row}")
        demand(not row.owes_parent, f"L1: nobody told the parent of {number}")
        kinds = Counter(event.type for event in database.history[number])
        ends = sum(kinds[kind] for kind in TERMINAL_EVENT_TYPES)
        demand(ends == 1 + kinds[EventType.EXECUTION_REDRIVEN], f"S4: {ends} terminal events in {number}")
        if row.status is ExecutionStatus.SUCCEEDED:
            in_time = row.deadline_at is None or row.ended_at < row.deadline_at
            demand(in_time, f"S8: execution {number} succeeded after its deadline")
    winners = Counter((told.execution, told.command) for told in ledger.answers if told.answer.won)
    for told in ledger.answers:
        demand(told.command == "stop" or winners[told.execution, told.command] <= 1, f"S5: two callers completed {told.command}")
        row = database.latest(execution_key(told.execution))
        if row is not None and row.redrive_count == told.redrives:
            _check_answer(database, told, row)


def _check_answer(database: Database, told: Told, row: Row) -> None:
    """Of an execution that was not redriven since, so that it must still be true."""
    number, command, answer = told.execution, told.command, told.answer
    if command == "stop":
        demand(answer.stored == row.status, f"S5: told that {number} is {answer.stored}, but it is {row.status}")
        return
    found = (database.latest(key) for key in database.keys["operation", number])
    operation = next((one for one in found if one is not None and one.callback_id == command), None)
    if operation is None:
        return
    if answer.won:
        demand(operation.payload == told.payload, f"S5: {command} keeps {operation.payload}, its winner sent {told.payload}")
    elif answer.stored in set(OperationStatus) - {"STOPPED"}:
        demand(_tells_truth(answer.stored, operation, row), f"S5: told {answer.stored}, stored {operation.status}")


def _tells_truth(told: str, operation: OperationRecord, row: Row) -> bool:
    """A time-out may be told before its timer fires, and an execution that ended meanwhile drops the timer."""
    return told in (operation.status, row.status) or (told == OperationStatus.TIMED_OUT and not operation.is_terminal)


def _was_due(operation: OperationRecord, now: datetime) -> bool:
    return operation.due_at is not None and operation.due_at <= now


def _waits_for_outsider(operation: OperationRecord) -> bool:
    is_answered_by_others = operation.type in (OperationType.CALLBACK, OperationType.CHAINED_INVOKE)
    return is_answered_by_others and operation.status is OperationStatus.STARTED and operation.due_at is None


def demand(holds: bool, promise: str) -> None:
    if not holds:
        raise BrokenInvariantError(promise)
