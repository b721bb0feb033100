"""Atomic steps: the step's ORM writes and its checkpoint are one commit on Django's default database, so it takes effect exactly once.

The step first takes its place in its execution's queue: what was queued before is written, what comes later waits for its end. Lock and
fence come last before COMMIT, so that the row is locked only for the write itself. A lost claim rolls everything back.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.db import OperationalError, connection, transaction

from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.journal import flush, store
from execution_engine.journal.flush import Accepted, Batch
from execution_engine.journal.lane import Entry, Lane

if TYPE_CHECKING:
    from execution_engine.journal.writer import Writer

T = TypeVar("T")
DEADLOCK_TRIES = 5


class UnknownCommitError(ClaimLostError):
    """The connection was lost during COMMIT. The next invocation reads from the journal whether the step took effect."""


def commit_with_orm_writes(
    lane: Lane, writer: "Writer", start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]
) -> T:
    """Runs `finish` in a transaction that also writes its update. After a deadlock it runs again, within the same attempt."""
    turn = writer.take_turn(lane)
    try:
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                return _attempt(lane, writer, turn, start, finish)
            except OperationalError as error:
                is_deadlock = isinstance(error.__cause__, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
                if not is_deadlock or attempt == DEADLOCK_TRIES:
                    raise
                time.sleep(0.01 * attempt)
        raise AssertionError("unreachable")
    finally:
        writer.end_turn(lane)


def _attempt(
    lane: Lane, writer: "Writer", turn: Entry, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]
) -> T:
    joined: _Joined | None = None
    is_committing = False
    try:
        with transaction.atomic():
            update, value = finish()
            joined = _Joined.of(lane, turn, start, update)
            accepted = _fence_and_write(lane, joined.batch)
            is_committing = True
    except BaseException as error:
        if joined is not None:
            joined.take_back()
            if is_committing and isinstance(error, OperationalError):
                lane.lose()
                raise UnknownCommitError("the connection was lost while an atomic step was committed") from error
        raise
    writer.finish_atomic(joined.batch, accepted)
    return value


@dataclass(frozen=True, slots=True)
class _Joined:
    """The step's own entry, in its turn, and what the lane knew of the operation before."""

    batch: Batch
    turn: Entry
    operation_id: str
    before: OperationRecord | None

    @classmethod
    def of(cls, lane: Lane, turn: Entry, start: OperationUpdate | None, update: OperationUpdate) -> "_Joined":
        with lane.lock:
            before = lane.operations.get(update.id)
            entry = lane.apply((update,) if start is None else (start, update))
            entry.is_sync = True
            lane.queue.remove(entry)
            lane.under_way = (turn, entry)
        return cls(Batch(lane, (turn, entry), {}), turn, update.id, before)

    def take_back(self) -> None:
        """After a rollback: restores this operation only. What outsiders and timers changed meanwhile stays known."""
        lane = self.batch.lane
        with lane.lock:
            lane.operations.pop(self.operation_id, None)
            if self.before is not None:
                lane.operations[self.operation_id] = self.before
            if lane.lost:
                return
            lane.under_way = (self.turn,)
        self.batch.entries[-1].settle()


def _fence_and_write(lane: Lane, batch: Batch) -> Accepted:
    connection.check_constraints()
    with connection.cursor() as cursor:
        locked = store.lock(cursor, lane.execution_id)
        record = locked.record
        if record.claim_id != lane.claim_id or record.checkpoint_seq != lane.checkpoint_seq or record.status.is_terminal:
            lane.lose()
            raise ClaimLostError("the execution was stopped, timed out or taken over before its atomic step was committed")
    raw: Any = connection.connection
    with psycopg.Cursor(raw) as server_side:
        accepted, _ = flush.send(server_side, [batch])
    if 0 not in accepted:
        lane.lose()
        raise ClaimLostError("the execution's deadline passed before its atomic step was committed")
    return accepted[0]
