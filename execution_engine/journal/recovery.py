"""The slow path: writes one lane at a time, under the lock of its row, where the group commit's statement could not.

Such a batch was skipped because somebody held the lock, is larger than a shared commit should carry, was refused by the fence, or has an
unknown outcome after a lost connection. Here the row itself tells which, and no other lane waits for it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.transitions import execution as executions
from execution_engine.core.transitions import fire_timer
from execution_engine.journal import children, flush, pausing, reader, shared, store
from execution_engine.journal.connections import LOCK_TIMEOUT_MS
from execution_engine.journal.flush import Accepted, Batch, suspends
from execution_engine.journal.lane import Entry
from execution_engine.journal.signals import deliver_signals

if TYPE_CHECKING:
    from execution_engine.journal.writer import Writer

logger = logging.getLogger(__name__)
RETRY_SECONDS = 0.05
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0)


class SlowPath:
    """One thread with one connection and a queue of batches. A batch whose row is locked goes to the end of the queue."""

    def __init__(self, connect: Callable[[str], psycopg.Connection[Any]], writer: "Writer") -> None:
        self._connect = connect
        self._writer = writer
        self._line: deque[tuple[Batch, bool]] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._is_stopping = False
        self._connection: psycopg.Connection[Any] | None = None
        self._failures = 0
        self._thread = threading.Thread(target=self._serve, name="durable-slow-path", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, batch: Batch, *, is_unknown: bool = False) -> None:
        """`is_unknown`: the batch may have been committed already; the row's claim and `checkpoint_seq` tell."""
        with self._wake:
            self._line.append((batch, is_unknown))
            self._wake.notify()

    def _serve(self) -> None:
        while True:
            with self._wake:
                while not self._line and not self._is_stopping:
                    self._wake.wait()
                if not self._line:
                    break
                batch, is_unknown = self._line.popleft()
            self._attempt(batch, is_unknown)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, batch: Batch, is_unknown: bool) -> None:
        try:
            if self._connection is None:
                self._connection = self._connect("slow-path")
                self._connection.execute(f"set lock_timeout = {LOCK_TIMEOUT_MS}")
            self._failures = 0
            self.write(self._connection, batch, is_unknown)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(0 if self._line else RETRY_SECONDS)
            self.put(batch, is_unknown=is_unknown)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._disconnect()
            pause = RECONNECT_SECONDS[min(self._failures, len(RECONNECT_SECONDS) - 1)]
            self._failures += 1
            logger.warning("journal connection lost, trying again: %s", error)
            time.sleep(pause)
            self.put(batch, is_unknown=True)
        except Exception:  # whatever one execution's values do, this thread serves all the others
            logger.exception("an update cannot be stored; its execution gives up this invocation")
            batch.lane.lose()

    def write(self, connection: psycopg.Connection[Any], batch: Batch, is_unknown: bool) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            answer = self._decide(cursor, connection, batch, is_unknown)
        if answer is None:
            batch.lane.lose()
        else:
            self._writer.settle(connection, [batch], {0: answer})
            if batch.children:
                self._writer.ring()

    def _decide(self, cursor: Any, connection: psycopg.Connection[Any], batch: Batch, is_unknown: bool) -> Accepted | None:
        """What the row says under its lock: written before, writable now, or lost (None)."""
        lane = batch.lane
        try:
            locked = store.lock(cursor, lane.execution_id)
        except ExecutionNotFoundError:
            return None
        record = locked.record
        if record.claim_id != lane.claim_id:
            # A lost reply to suspend or end is never sent again: whatever stands there now was decided with it or after it.
            is_release = batch.entries[-1].release is not None
            return Accepted(record.wake_seq, str(record.status), record.due_at, is_certain=False) if is_unknown and is_release else None
        if lane.is_shared:
            shared.take_from_row(cursor, batch, record)
        if is_unknown and record.checkpoint_seq == lane.checkpoint_seq + 1:
            return Accepted(record.wake_seq, str(record.status), record.due_at)
        if record.checkpoint_seq != lane.checkpoint_seq or record.status.is_terminal:
            return None
        if executions.is_past_deadline(record, locked.now):
            # A claim that ended before the handler was called was no invocation.
            begun = record if lane.has_begun else replace(record, invocation_started_at=None)
            ended = executions.end(begun, ExecutionStatus.TIMED_OUT, locked.now, request_id=locked.invocation_id)
            store.write_transition(cursor, locked, ended)
            return None
        if batch.woken:
            self._decide_timers_again(cursor, connection, batch, record.wake_seq)
        if record.status is ExecutionStatus.PAUSING and suspends(batch):
            return pausing.release(cursor, batch)
        accepted, _ = flush.send(connection, [batch])
        answer = accepted.get(0)
        if answer is None or not batch.needs_lock:
            return answer
        for child in batch.children:
            children.start(cursor, lane.execution_id, child)
        # A waiter whose signal was there before it is told in this very answer.
        return replace(answer, wake_seq=answer.wake_seq + deliver_signals(cursor, batch))

    def _decide_timers_again(self, cursor: Any, connection: psycopg.Connection[Any], batch: Batch, wake_seq: int) -> None:
        """Under the lock, after reading what outsiders changed: news by `wake_seq`, heartbeats by their rows."""
        lane = batch.lane
        if wake_seq != lane.wake_seq:
            news = reader.load_changed(connection, {lane.execution_id: lane.wake_seq})[lane.execution_id]
            lane.merge(news.operations, news.wake_seq)
        beating = [m.record.id for e in batch.entries if e.woken for m in e.moves if m.record.options.heartbeat]
        if beating:
            lane.merge(store.read_operations(cursor, lane.execution_id, beating), lane.wake_seq)
        for entry in batch.entries:
            _fire_again(entry, batch)


def _fire_again(entry: Entry, batch: Batch) -> None:
    """Timers decided on what was known before: decide again on what is known under the lock."""
    if not entry.woken:
        return
    operations = batch.lane.operations
    moves = [fire_timer(operations[move.record.id], entry.at) for move in entry.moves]
    entry.moves = [move for move in moves if move is not None]
    entry.woken = 1 if entry.moves else 0
    entry.expect_wake = batch.lane.wake_seq
