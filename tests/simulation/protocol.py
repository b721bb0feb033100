"""The statements under a claim, each split where PostgreSQL would let others in. Their SQL is `journal/sql`."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import ExecutionRecord, OperationRecord, Transition
from execution_engine.core.transitions import callback, fire_timer, pausing
from execution_engine.core.transitions import execution as moves
from tests.simulation.database import Database, Fits, Key, Mode, Transaction, execution_key
from tests.simulation.entries import Entry, record_entry, start_children, write_ending, write_moves
from tests.simulation.scheduler import Scheduler, Steps
from tests.simulation.variants import Variant

RUNNING = ExecutionStatus.RUNNING
CLAIM = timedelta(seconds=30)


@dataclass(frozen=True)
class Known:
    """What one snapshot showed: the execution's row and (some of) its operations, by id."""

    row: ExecutionRecord
    operations: dict[str, OperationRecord]


class Protocol:
    def __init__(self, scheduler: Scheduler, database: Database, variant: Variant) -> None:
        self.scheduler = scheduler
        self.database = database
        self.variant = variant
        self.met = Counter[str]()
        """How often the rare paths were taken; a simulation that never takes them proves nothing."""
        self.executions: list[int] = []
        """All there ever were, children and forks too, by number."""

    @property
    def now(self) -> datetime:
        return self.scheduler.now

    def begin(self) -> Transaction:
        return Transaction(self.database)

    def claim(self, executions: Sequence[int], limit: int, claimed_ids: set[UUID]) -> Steps:
        """Takes due executions under new claim ids, which it adds to `claimed_ids`; returns their numbers and rows."""
        with self.begin() as transaction:
            snapshot, now = transaction.snapshot(), self.now
            yield
            claimed: dict[int, ExecutionRecord] = {}
            for number in executions:
                if len(claimed) == limit:
                    break
                row = yield from transaction.lock(execution_key(number), _is_due(now), snapshot=snapshot, skip=True)
                if row is not None:
                    identity = UUID(int=self.scheduler.random.getrandbits(128))
                    claimed[number] = replace(row, claim_id=identity, invocation_started_at=now, due_at=now + CLAIM)
            if not claimed:
                return claimed
            yield
            for number, row in claimed.items():
                claimed_ids.add(row.claim_id)
                transaction.write(execution_key(number), row)
            yield
            transaction.commit()
        yield
        return claimed

    def take_over(self, executions: Sequence[int], own: AbstractSet[UUID]) -> Steps:
        """Writes the end of invocations whose claim ended, except this worker's own; what they held is due again."""
        with self.begin() as transaction:
            snapshot, now = transaction.snapshot(), self.now
            yield
            for number in executions:
                row = yield from transaction.lock(execution_key(number), _has_ended(now, own), snapshot=snapshot, skip=True)
                if row is not None:
                    self.met["claims taken over"] += 1
                    write_ending(transaction, number, moves.fail_invocation(row, moves.EXIT_ERROR, now, None, counts=False))
            if transaction.writes:
                yield
                transaction.commit()

    def look_after_paused(self, executions: Sequence[int]) -> Steps:
        """A duty: settles pauses whose invocation died, fires what is due in paused executions."""
        for number in executions:
            with self.begin() as transaction:
                snapshot = transaction.snapshot()
                yield
                row = yield from transaction.lock(execution_key(number), _needs_look(self.now), snapshot=snapshot, skip=True)
                if row is None:
                    continue
                yield
                self._look_at(transaction, number, row)
                yield
                transaction.commit()

    def _look_at(self, transaction: Transaction, number: int, row: ExecutionRecord) -> None:
        self.met["looked after paused"] += 1
        now = self.now
        if moves.is_past_deadline(row, now):
            write_ending(transaction, number, moves.end(row, ExecutionStatus.TIMED_OUT, now))
            return
        known = self._known(transaction, number, transaction.snapshot())
        row = write_moves(transaction, number, row, _due(known, now), wakes=True)
        operations = (o for _, o in transaction.rows("operation", number, transaction.snapshot()))
        nearest = min((o.due_at for o in operations if o.due_at is not None and not o.is_terminal), default=None)
        settled = pausing.settle(row, nearest, {})
        if row.status is ExecutionStatus.PAUSED:
            settled = moves.ExecutionTransition(settled.record, ())
        write_ending(transaction, number, settled)

    def renew(self, number: int, claim_id: UUID) -> Steps:
        with self.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(number), _is_held_by(claim_id), snapshot=snapshot, skip=True)
            if row is not None:
                transaction.write(execution_key(number), replace(row, due_at=self.now + CLAIM))
                yield
                transaction.commit()

    def load(self, number: int) -> Steps:
        """The row and all operations, from one snapshot, without a lock."""
        transaction = self.begin()
        snapshot = transaction.snapshot()
        yield
        return self._known(transaction, number, snapshot)

    def flush(self, entries: Sequence[Entry]) -> Steps:
        """The group commit: returns the new rows of what was written; what is missing was locked elsewhere or did not fit."""
        mode = Mode.KEY_SHARE if self.variant is Variant.KEY_SHARE_FENCE else Mode.NO_KEY_UPDATE
        with self.begin() as transaction:
            snapshot, now = transaction.snapshot(), self.now
            yield
            locked: list[tuple[Entry, ExecutionRecord]] = []
            for entry in sorted(entries, key=lambda entry: entry.execution):
                key = execution_key(entry.execution)
                row = yield from transaction.lock(key, entry.fence(now), snapshot=snapshot, skip=True, mode=mode)
                if row is not None:
                    locked.append((entry, row))
            yield
            rows: dict[int, ExecutionRecord] = {}
            for entry, row in locked:
                held = (yield from self._upgrade(transaction, entry, snapshot)) if mode is Mode.KEY_SHARE else row
                rows[entry.execution] = record_entry(transaction, entry, held, entry.transitions, now, self.variant)
            yield
            transaction.commit()
        yield
        return rows

    def _upgrade(self, transaction: Transaction, entry: Entry, snapshot: int) -> Steps:
        """The UPDATE after a weaker lock waits, and then only judges its own condition, the id."""
        return (yield from transaction.lock(execution_key(entry.execution), lambda _: True, snapshot=snapshot))

    def slow_flush(self, entry: Entry) -> Steps:
        """One entry alone: lock and fence in one statement, read in the next, then write. Raises `ClaimLostError`.

        Returns what the reading showed, already with what was written.
        """
        with self.begin() as transaction:
            first = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(entry.execution), entry.holds_claim, snapshot=first)
            if row is None:
                self.met["fenced off"] += 1
                raise ClaimLostError
            yield
            second = first if self.variant is Variant.LOCK_AND_READ else transaction.snapshot()
            now = self.now
            if moves.is_past_deadline(row, now):
                self.met["timed out under a claim"] += 1
                write_ending(transaction, entry.execution, moves.end(row, ExecutionStatus.TIMED_OUT, now))
                transaction.commit()
                raise ClaimLostError
            known = self._known(transaction, entry.execution, second)
            self.met["went alone"] += 1
            transitions = _due(known, now) if entry.by_time else entry.transitions
            yield
            row = record_entry(transaction, entry, row, transitions, now, self.variant)
            self.executions += start_children(transaction, entry, now)
            row = self._deliver_signals(transaction, entry, row, second)
            changed = {operation.id: operation for key, operation in transaction.writes.items() if key[0] == "operation"}
            yield
            transaction.commit()
        yield
        return Known(row, {**known.operations, **changed})

    def recover(self, entry: Entry) -> Steps:
        """After a lost answer: waits the old backend out by locking the row; True when it had written the entry.

        Raises `ClaimLostError`: stopped, taken over, or ended by the entry itself; nothing is sent again then.
        """
        with self.begin() as transaction:
            snapshot = transaction.snapshot()
            yield
            row = yield from transaction.lock(execution_key(entry.execution), _is_held_by(entry.claim_id), snapshot=snapshot)
            if row is None:
                self.met["answer lost, claim gone"] += 1
                raise ClaimLostError
            yield
            self.met[f"answer lost, {'written' if row.checkpoint_seq != entry.checkpoint_seq else 'not written'}"] += 1
            return row.checkpoint_seq != entry.checkpoint_seq

    def _known(self, transaction: Transaction, number: int, snapshot: int) -> Known:
        operations = (row for _, row in transaction.rows("operation", number, snapshot))
        return Known(transaction.read(execution_key(number), snapshot), {operation.id: operation for operation in operations})

    def _deliver_signals(self, transaction: Transaction, entry: Entry, row: ExecutionRecord, snapshot: int) -> ExecutionRecord:
        """A wait for a signal that begins takes the oldest buffered one in the same commit."""
        for transition in entry.transitions:
            started = transition.record
            if started.options.signal is None or started.status is not OperationStatus.STARTED:
                continue
            for key, payload in transaction.rows("signal", entry.execution, snapshot):
                if key[2].startswith(f"{started.options.signal}/") and payload is not None:
                    row = self._consume(transaction, entry.execution, row, key, started, payload)
                    break
        return row

    def _consume(
        self, transaction: Transaction, number: int, row: ExecutionRecord, key: Key, waiter: OperationRecord, payload: str
    ) -> ExecutionRecord:
        self.met["signals taken from the buffer"] += 1
        transaction.write(key, None)
        row = write_moves(transaction, number, row, (callback.complete(waiter, self.now, payload=payload),), wakes=True)
        transaction.write(execution_key(number), row)
        return row


def _is_due(now: datetime) -> Fits:
    return lambda row: row.claim_id is None and row.status is RUNNING and row.due_at is not None and row.due_at <= now


def _needs_look(now: datetime) -> Fits:
    paused = (ExecutionStatus.PAUSING, ExecutionStatus.PAUSED)
    return lambda row: (
        row.claim_id is None
        and row.status in paused
        and (row.status is ExecutionStatus.PAUSING or (row.due_at is not None and row.due_at <= now))
    )


def _has_ended(now: datetime, own: AbstractSet[UUID]) -> Fits:
    return lambda row: row.claim_id is not None and row.claim_id not in own and not row.status.is_terminal and row.due_at <= now


def _is_held_by(claim_id: UUID) -> Fits:
    return lambda row: row.claim_id == claim_id


def _due(known: Known, now: datetime) -> list[Transition]:
    fired = (fire_timer(operation, now) for operation in known.operations.values())
    return [transition for transition in fired if transition is not None]


def woken(protocol: Protocol, row: ExecutionRecord) -> ExecutionRecord:
    """After a change from outside or by time, as `journal/store.wake`: due now unless an invocation is under way or it is paused, and what
    is due already keeps its place."""
    if row.claim_id is not None or row.status is not RUNNING:
        return row
    is_kept = row.due_at is not None and protocol.variant is not Variant.ANSWER_LOSES_PLACE
    return replace(row, due_at=min(row.due_at, protocol.now) if is_kept else protocol.now)
