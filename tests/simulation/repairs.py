"""Redrive, fork and purge as outsiders and duties do them. Their SQL is `journal/sql/repairs`."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.records import HistoryEvent, OperationRecord
from execution_engine.core.transitions import redrive, reopening
from execution_engine.core.transitions.redrive import Operations, Plan
from execution_engine.core.transitions.reopening import Asked
from tests.simulation.database import Fits, Transaction, execution_key
from tests.simulation.entries import number_events, operation_key
from tests.simulation.protocol import Protocol
from tests.simulation.rows import Row
from tests.simulation.scheduler import Steps
from tests.simulation.variants import Variant


def number_of(operation: OperationRecord) -> int:
    """The execution that an invoke started."""
    return UUID(operation.options.child_id).int


def anything(row: Row | None) -> bool:
    return row is not None


class Repairs:
    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.variant = protocol.variant

    def redrive(self, number: int, asked: Asked) -> Steps:
        """True when it was over and goes on now."""
        with self.protocol.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(number), anything, snapshot=snapshot)
            if row is None or not row.status.is_terminal:
                return False
            if row.status is ExecutionStatus.SUCCEEDED and asked.from_operation is None:
                return False
            yield
            self.reopen(transaction, number, row, asked)
            yield
            transaction.commit()
        self.protocol.met["redriven"] += 1
        return True

    def reopen(self, transaction: Transaction, number: int, row: Row, asked: Asked) -> None:
        snapshot, now = transaction.snapshot(), self.protocol.now
        operations = Operations(o for _, o in transaction.rows("operation", number, snapshot))
        plan = self._plan(operations, row, asked)
        counts = {one: self._redrives_wanted(transaction, number, operations.by_id[one]) for one in operations.open_invokes(plan)}
        lost = {one for one, count in counts.items() if count is None}
        self.protocol.met["children lost"] += len(lost)
        transaction.repairs.add(number)
        for one in {*plan.removed, *lost}:
            transaction.write(("operation", number, one), None)
        wake_seq = row.wake_seq + (self.variant is not Variant.REDRIVE_WAKES_NOBODY)
        row = replace(row, wake_seq=wake_seq, redrive_count=row.redrive_count + 1)
        row = number_events(transaction, number, row, (HistoryEvent(EventType.EXECUTION_REDRIVEN),))
        for one in plan.reopened:
            if one not in lost:
                move = reopening.reopen(operations.by_id[one], now, child_redrives=counts.get(one) or 0)
                transaction.write(operation_key(number, move.record), replace(move.record, wake_seq=wake_seq))
                row = number_events(transaction, number, row, move.events)
        for one in plan.rearmed:
            record = reopening.rearm(operations.by_id[one], now)
            transaction.write(operation_key(number, record), replace(record, wake_seq=wake_seq))
        transaction.write(
            execution_key(number),
            replace(
                row,
                status=ExecutionStatus.RUNNING,
                ended_at=None,
                error=None,
                due_at=now,
                claim_id=row.claim_id if self.variant is Variant.CLAIM_SURVIVES_REDRIVE else None,
                failed_invocations=0,
                deadline_at=now + timedelta(seconds=row.timeout) if row.timeout else None,
                owes_parent=False,
                owes_child=bool(set(counts) - lost) and self.variant is not Variant.CHILDREN_NOT_REDRIVEN,
            ),
        )

    def _plan(self, operations: Operations, row: Row, asked: Asked) -> Plan:
        if asked.from_operation is not None and asked.from_operation in operations.by_id:
            return redrive.plan_from_operation(operations, asked.from_operation)
        return redrive.plan_from_failure(operations, row.status, row.error)

    def _redrives_wanted(self, transaction: Transaction, parent: int, operation: OperationRecord) -> int | None:
        child = transaction.read(execution_key(number_of(operation)), transaction.snapshot())
        return None if child is None or child.parent != parent else child.redrive_count + child.status.is_terminal

    def purge(self, number: int) -> Steps:
        """Removes an ended execution that no parent needs, as its own snapshot shows the parent; True when it did."""
        with self.protocol.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(number), self._may_go(transaction, snapshot), snapshot=snapshot, skip=True)
            if row is None:
                return False
            yield
            for key, _ in list(transaction.rows("operation", number, transaction.snapshot())):
                transaction.write(key, None)
            transaction.write(execution_key(number), None)
            yield
            transaction.commit()
        self.protocol.met["purged"] += 1
        return True

    def _may_go(self, transaction: Transaction, snapshot: int) -> Fits:
        def fits(row: Row) -> bool:
            if not row.status.is_terminal or row.parent is None:
                return False
            parent = transaction.read(execution_key(row.parent), snapshot)
            is_needed = row.owes_parent or (parent is not None and not parent.status.is_terminal)
            return not is_needed or self.variant is Variant.PURGE_IGNORES_PARENT

        return fits

    def fork(self, number: int, new: int) -> Steps:
        """Under the old one's lock, which keeps its journal still; True when there is a fork now."""
        with self.protocol.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(number), anything, snapshot=snapshot)
            if row is None:
                return False
            yield
            self._copy(transaction, number, row, new)
            yield
            transaction.commit()
        self.protocol.executions.append(new)
        self.protocol.met["forked"] += 1
        return True

    def _copy(self, transaction: Transaction, number: int, row: Row, new: int) -> None:
        now = self.protocol.now
        operations = Operations(o for _, o in transaction.rows("operation", number, transaction.snapshot()))
        plan = redrive.plan_fork(operations, self._plan(operations, row, Asked()))
        kept = [operations.by_id[one] for one in plan.kept]
        if self.variant is Variant.FORK_KEEPS_OPEN:
            kept = list(operations.by_id.values())
        fork = Row(
            id=UUID(int=new),
            function=row.function,
            version=row.version,
            name=str(new),
            status=ExecutionStatus.RUNNING,
            started_at=now,
            due_at=now,
            deadline_at=now + timedelta(seconds=row.timeout) if row.timeout else None,
            timeout=row.timeout,
        )
        started = [HistoryEvent(EventType.EXECUTION_STARTED), *(HistoryEvent(EventType.STEP_STARTED, one.id) for one in kept)]
        fork = number_events(transaction, new, fork, started)
        for place, one in enumerate(kept, start=2):
            copied = replace(one, started_at=now, due_at=None, wake_seq=0, start_event=place)
            transaction.write(operation_key(new, one), copied)
        transaction.write(execution_key(new), fork)
        transaction.repairs.add(new)
