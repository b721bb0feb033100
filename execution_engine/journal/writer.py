"""The journal writer of a process: it commits as one whatever its executions recorded while the last commit ran.

There is no timed window: the duration of a commit is the window. What the fast statement skips goes to `recovery.SlowPath`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

import psycopg
from django.db import connection

from execution_engine.core.clock import DatabaseClock
from execution_engine.core.records import OperationRecord
from execution_engine.journal import flush, reader
from execution_engine.journal.flush import Accepted, Batch, UnpackableError, suspends
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.recovery import SlowPath

MAX_LANES_PER_FLUSH = 256
"""Beyond it arrays grow faster than commits are saved, and a waiting caller pays for the tail."""


BUSY_SECONDS = 1.0


class Writer:
    """Owns two connections: its thread's fast one, and the slow path's. Thread-safe. Refuses only lanes that lost their claim."""

    def __init__(
        self,
        connect: Callable[[str], psycopg.Connection[Any]],
        clock: DatabaseClock,
        *,
        held_seconds: float,
        flush_bytes: int,
        on_due: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._held_seconds = held_seconds
        self._flush_bytes = flush_bytes
        self._on_due = on_due
        # No lock around these two: a thread that is switched off while it holds one would keep all the others waiting.
        self._ready: SimpleQueue[Lane | None] = SimpleQueue()
        self._held: deque[tuple[float, Lane, Entry]] = deque()
        self._is_stopping = False
        self._is_dozing = False
        self._flushed_at = 0.0
        self._slow = SlowPath(connect, self)
        self._thread = threading.Thread(target=self._serve, name="durable-writer", daemon=True)
        self._connection: psycopg.Connection[Any] | None = None
        self.flushes = 0

    def start(self) -> None:
        self._thread.start()
        self._slow.start()

    def stop(self) -> None:
        """Writes what is queued, then ends both threads and closes their connections."""
        self._is_stopping = True
        self._ready.put(None)
        self._thread.join()
        self._slow.stop()

    def reading(self) -> AbstractContextManager[Any]:
        """A cursor for reads that need no place in the queue, on the calling thread's own Django connection."""
        return connection.cursor()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive() and self._slow.is_alive

    def submit(self, lane: Lane) -> None:
        """Asks for the lane's queue to be flushed. `wait()` of an entry returns when it is durable."""
        self._ready.put(lane)

    def hold(self, lane: Lane, entry: Entry) -> None:
        """Lets the first entry of a lane wait for others, at most `held_seconds`. One behind another is flushed with that one anyway."""
        try:
            if lane.queue[0] is not entry:
                return
        except IndexError:
            return  # taken already
        self._held.append((time.monotonic() + self._held_seconds, lane, entry))
        if self._is_dozing:
            self._ready.put(None)

    def drain(self, lane: Lane) -> None:
        """Waits until everything that is now queued on the lane or under way is written. Raises `ClaimLostError`."""
        with lane.lock:
            pending = [*lane.under_way, *lane.queue]
        if pending:
            self.submit(lane)
            pending[-1].wait()

    def take_turn(self, lane: Lane) -> Entry:
        """Waits until nothing of the lane is queued or under way, and keeps it so until `end_turn`. Raises `ClaimLostError`."""
        while True:
            self.drain(lane)
            turn = lane.take_turn()
            if turn is not None:
                return turn

    def end_turn(self, lane: Lane) -> None:
        lane.end_turn()
        self.resume(lane)

    def finish_atomic(self, batch: Batch, answer: Accepted) -> None:
        """An atomic step is committed. News that came meanwhile is read by the next checkpoint."""
        finish(batch, answer, {}, batch.lane.wake_seq)

    def _serve(self) -> None:
        while True:
            lanes = self._next_lanes()
            if lanes is None:
                break
            batches = [batch for lane in lanes if (batch := take(lane)) is not None]
            shared = []
            for batch in batches:
                if batch.needs_lock or batch.size > self._flush_bytes:
                    self._slow.put(batch)
                else:
                    shared.append(batch)
            if shared:
                self._flush(shared)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _next_lanes(self) -> list[Lane] | None:
        """The lanes to flush next, each once; None when the writer stops."""
        while True:
            found: dict[Lane, None] = {}
            self._expire_held(found)
            with suppress(Empty):
                while len(found) < MAX_LANES_PER_FLUSH:
                    lane = self._ready.get_nowait()
                    if lane is not None:
                        found[lane] = None
            if found:
                return list(found)
            if self._is_stopping:
                return None
            self._wait_for_company()

    def _wait_for_company(self) -> None:
        """Waits until somebody submits or the oldest held entry is due. Every step holds a START, which must not wake this thread each
        time: while busy it looks by itself after `held_seconds`, and only an idle one is woken."""
        now = time.monotonic()
        pause: float | None
        if self._held:
            pause = max(0.0, self._held[0][0] - now)
        elif now - self._flushed_at < BUSY_SECONDS:
            pause = self._held_seconds
        else:
            self._is_dozing = True
            # `hold` looks at the flag after it has queued an entry; what it queued before the flag was set is seen here.
            pause = 0.0 if self._held else None
        with suppress(Empty):
            self._ready.put(self._ready.get(timeout=pause))
        self._is_dozing = False

    def _expire_held(self, found: dict[Lane, None]) -> None:
        """Held entries that were written meanwhile, as most are, cost only this look at the front of the line."""
        now = time.monotonic()
        while self._held and (self._held[0][0] <= now or self._held[0][2].is_taken):
            _, lane, entry = self._held.popleft()
            if not entry.is_taken:
                entry.is_held = False
                found[lane] = None

    def _flush(self, batches: list[Batch]) -> None:
        try:
            if self._connection is None:
                self._connection = self._connect("writer")
            accepted, now = flush.send(self._connection, batches)
            self.flushes += 1
            self._flushed_at = time.monotonic()
            if now is not None:
                self._clock.set(now)
            self.settle(self._connection, batches, accepted)
        except psycopg.Error as error:
            # Each batch goes alone now: after a lost connection its outcome is looked up, and a bad one does not fail its neighbours.
            self._disconnect()
            self._send_alone(batches, is_unknown=isinstance(error, psycopg.OperationalError))
            return
        except UnpackableError:
            # Alone, only the lane with the value fails, and this thread lives on.
            self._send_alone(batches, is_unknown=False)
            return
        for number, batch in enumerate(batches):
            if number not in accepted:
                self._slow.put(batch)

    def _send_alone(self, batches: list[Batch], *, is_unknown: bool) -> None:
        for batch in batches:
            self._slow.put(batch, is_unknown=is_unknown)

    def settle(self, connection: psycopg.Connection[Any], batches: list[Batch], accepted: dict[int, Accepted]) -> None:
        """Merges news into the lanes that were written, lets their callers go on, and sends what was queued meanwhile."""
        written = [(batch, accepted[number]) for number, batch in enumerate(batches) if number in accepted]
        moved = {b.lane.execution_id: b.lane.wake_seq for b, a in written if a.wake_seq != b.lane.wake_seq + b.woken and not is_release(b)}
        news = reader.load_changed(connection, moved) if moved else {}
        is_due = False
        for batch, answer in written:
            found = news.get(batch.lane.execution_id)
            is_due = is_due or (is_release(batch) and answer.due_at is not None and answer.due_at <= self._clock.now())
            finish(batch, answer, found.operations if found else {}, found.wake_seq if found else answer.wake_seq)
            self.resume(batch.lane)
        if is_due:
            self.ring()

    def ring(self) -> None:
        """To be called when a commit made something due."""
        self._on_due()

    def resume(self, lane: Lane) -> None:
        """After a flush of the lane: what was queued meanwhile is flushed next."""
        with lane.lock:
            is_waiting = bool(lane.queue) and any(not entry.is_held for entry in lane.queue)
        if is_waiting:
            self._ready.put(lane)


def take(lane: Lane) -> Batch | None:
    """Turns the lane's whole queue into its one flush under way. None while another is under way, or when nothing is queued."""
    with lane.lock:
        if lane.under_way or lane.lost or not lane.queue:
            return None
        entries = tuple(lane.queue)
        lane.queue.clear()
        lane.under_way = entries
        for entry in entries:
            entry.is_taken = True
        batch = Batch(lane, entries, {}, lane.status_text, dict(lane.attributes) or None)
        lane.status_text, lane.attributes = None, {}
        return batch


def is_release(batch: Batch) -> bool:
    return batch.entries[-1].release is not None


def finish(batch: Batch, answer: Accepted, changed: dict[str, OperationRecord], wake_seq: int) -> None:
    """The batch is durable: the lane takes over the answer before any of its callers goes on.

    A lane that lost its claim meanwhile has told its callers so; the answer then changes nothing.
    """
    lane = batch.lane
    with lane.lock:
        if lane.lost:
            return
        lane.checkpoint_seq += 1
        lane.under_way = ()
        lane.is_pausing = answer.status == "PAUSING"
        known = lane.wake_seq + batch.woken
        for entry in batch.entries:
            if entry.woken:
                changed = {**{m.record.id: replace(m.record, wake_seq=known) for m in entry.moves}, **changed}
        lane.merge(changed, wake_seq)
        if any(entry.is_sync for entry in batch.entries):
            lane.told_seq = wake_seq
        if is_release(batch):
            lane.released = True
            # The invocation was told everything that it knows, and nothing is inferred: the next one may go on with this memory.
            is_told = suspends(batch) and not batch.entries[-1].is_owed and not lane.is_shared
            lane.known_wake_seq = known if is_told and answer.is_certain and answer.status == "RUNNING" else None
        settled = lane.on_settled
        if settled is not None and not any(m.record.is_terminal for e in batch.entries for m in e.moves):
            settled = None
    for entry in batch.entries:
        entry.settle()
    if settled is not None:
        settled()
