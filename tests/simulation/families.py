"""Children that answer their parents, and redrives of parents that reach them. Their SQL is `journal/sql/{children,repairs}`.

No transaction here holds two executions: what concerns both travels as a mark in one row and is made up for by whoever looks next.
"""

from collections.abc import Iterator
from dataclasses import replace

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.core.transitions import chained_invoke
from execution_engine.core.transitions.reopening import Asked
from tests.simulation.database import Fits, Transaction, execution_key
from tests.simulation.entries import write_moves
from tests.simulation.protocol import Protocol, woken
from tests.simulation.repairs import Repairs, anything, number_of
from tests.simulation.rows import Row
from tests.simulation.scheduler import Steps
from tests.simulation.variants import Variant

GONE = ErrorObject(type="ChainedInvoke.Gone")


class Families:
    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.variant = protocol.variant
        self.repairs = Repairs(protocol)

    def deliver(self) -> Steps:
        """The courier: tells the parents of ended children, then clears the mark."""
        reading = self.protocol.begin()
        owing = [row for row in self._rows(reading) if row.owes_parent]
        yield
        for child in owing:
            if self.variant is Variant.CLEARED_BEFORE_TOLD:
                yield from self._clear_owing(child)
            yield from self._tell(child)
            yield
            yield from self._clear_owing(child)

    def _tell(self, seen: Row) -> Steps:
        """Under the parent's lock alone: the child is read again, in a statement of its own."""
        assert seen.parent is not None
        with self.protocol.begin() as transaction:
            parent = yield from transaction.lock(execution_key(seen.parent), anything, snapshot=transaction.snapshot())
            if parent is None or parent.status.is_terminal:
                return
            yield
            snapshot = transaction.snapshot()
            operation = transaction.read(("operation", seen.parent, seen.parent_operation), snapshot)
            child = transaction.read(execution_key(seen.id.int), snapshot)
            if operation is None or child is None or not child.status.is_terminal or number_of(operation) != child.id.int:
                return
            if child.redrive_count < operation.options.redrives and self.variant is not Variant.TRUSTS_OLD_REDRIVES:
                self.protocol.met["an answer from before the redrive"] += 1
                return
            failure = None if child.status is ExecutionStatus.SUCCEEDED else child.error or ErrorObject()
            move = chained_invoke.complete(operation, OperationStatus(child.status), self.protocol.now, error=failure)
            if move is None:
                self.protocol.met["told twice"] += 1
                return
            row_after = woken(self.protocol, write_moves(transaction, seen.parent, parent, (move,), wakes=True))
            transaction.write(execution_key(seen.parent), row_after)
            yield
            transaction.commit()

    def _clear_owing(self, seen: Row) -> Steps:
        with self.protocol.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(seen.id.int), self._is_as_seen(seen), snapshot=snapshot)
            if row is not None:
                transaction.write(execution_key(seen.id.int), replace(row, owes_parent=False))
                yield
                transaction.commit()

    def _is_as_seen(self, seen: Row) -> Fits:
        if self.variant is Variant.CLEARS_ANY_ANSWER:
            return anything
        if self.variant is Variant.CLEARS_A_SECOND_MARK:
            return lambda row: row.owes_parent and row.redrive_count == seen.redrive_count
        return lambda row: row is seen

    def redrive_children(self) -> Steps:
        """A duty: what redriven parents wait for is redriven, told again, or given up."""
        reading = self.protocol.begin()
        owing = [row for row in self._rows(reading) if row.owes_child]
        yield
        for parent in owing:
            number = parent.id.int
            reading = self.protocol.begin()
            snapshot = reading.snapshot()
            waiting = [o for _, o in reading.rows("operation", number, snapshot) if _waits_for_child(o)]
            children = {o.id: reading.read(execution_key(number_of(o)), snapshot) for o in waiting}
            yield
            is_done = True
            for operation in waiting:
                child = children[operation.id]
                if child is None:
                    yield from self._give_up(number, operation.id)
                elif child.status.is_terminal:
                    is_done &= yield from self._redrive_child(child.id.int, operation.options.redrives)
            if is_done or self.variant is Variant.VANISHED_CHILD_FORGOTTEN:
                yield from self._clear_owes_child(parent)

    def _redrive_child(self, number: int, wanted: int) -> Steps:
        """False when it was removed between the look and the lock: the next look gives it up."""
        with self.protocol.begin() as transaction:
            row = yield from transaction.lock(execution_key(number), anything, snapshot=transaction.snapshot())
            if row is None or not row.status.is_terminal:
                return row is not None
            yield
            if row.status is not ExecutionStatus.SUCCEEDED and row.redrive_count < wanted:
                self.protocol.met["child redriven by its parent"] += 1
                self.repairs.reopen(transaction, number, row, Asked())
            else:
                told_again = replace(row, owes_parent=True, redrive_count=max(row.redrive_count, wanted))
                transaction.write(execution_key(number), told_again)
            yield
            transaction.commit()
        return True

    def _give_up(self, number: int, operation_id: str) -> Steps:
        if self.variant is Variant.GONE_CHILD_AWAITED:
            return
        with self.protocol.begin() as transaction:
            row = yield from transaction.lock(execution_key(number), anything, snapshot=transaction.snapshot())
            if row is None or row.status.is_terminal:
                return
            yield
            operation = transaction.read(("operation", number, operation_id), transaction.snapshot())
            move = None if operation is None else chained_invoke.complete(operation, OperationStatus.FAILED, self.protocol.now, error=GONE)
            if move is not None:
                self.protocol.met["child gone"] += 1
                row_after = woken(self.protocol, write_moves(transaction, number, row, (move,), wakes=True))
                transaction.write(execution_key(number), row_after)
                yield
                transaction.commit()

    def _clear_owes_child(self, seen: Row) -> Steps:
        with self.protocol.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            fits = lambda row: row.redrive_count == seen.redrive_count  # noqa: E731
            row = yield from transaction.lock(execution_key(seen.id.int), fits, snapshot=snapshot)
            if row is not None:
                transaction.write(execution_key(seen.id.int), replace(row, owes_child=False))
                yield
                transaction.commit()

    def _rows(self, transaction: Transaction) -> Iterator[Row]:
        snapshot = transaction.snapshot()
        rows = (transaction.read(execution_key(number), snapshot) for number in list(self.protocol.executions))
        return (row for row in rows if row is not None)


def _waits_for_child(operation: OperationRecord) -> bool:
    return operation.type is OperationType.CHAINED_INVOKE and operation.status is OperationStatus.STARTED
