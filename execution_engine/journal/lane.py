"""The first-in-first-out queue of one claimed execution, and its operations as this process knows them.

At most one flush of a lane is under way at any time, whether fast, slow or atomic, so nothing overtakes. Lock order: a lane's lock is taken
alone or before the slow path's, never after it. The writer's queues need no lock.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from execution_engine.core.clock import DatabaseClock
from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import HistoryEvent, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions import apply_update, fire_timer
from execution_engine.journal.children import ChildStart


@dataclass(frozen=True, slots=True)
class Release:
    """How a claim is given back, in the same flush as what was recorded before it.

    `status` is None for a suspension. `due_at` is then the nearest timer known here; SQL takes the present instead if something changed
    that the invocation had not been told of. `is_owed`: the invocation failed, so what it was told does not count and another one is owed.
    """

    due_at: datetime | None = None
    status: str | None = None
    result: str | None = None
    error: str | None = None
    failed_invocations: int | None = None
    is_owed: bool = False


class Entry:
    """What one call asks to be recorded: its moves in order, and an event for the caller that waits for the commit, if any."""

    __slots__ = (
        "at", "child", "done", "error", "events", "expect_wake", "is_held", "is_sync", "is_taken", "moves", "needs_lock", "release", "size",
        "woken",
    )  # fmt: skip

    def __init__(
        self,
        moves: list[Transition],
        at: datetime,
        *,
        events: tuple[HistoryEvent, ...] = (),
        release: Release | None = None,
        woken: int = 0,
        expect_wake: int | None = None,
    ) -> None:
        self.moves = moves
        self.at = at
        self.events = events
        self.release = release
        self.woken = woken
        self.expect_wake = expect_wake
        self.is_held = False
        self.is_sync = False
        self.is_taken = False
        self.needs_lock = False
        self.child: ChildStart | None = None
        self.size = sum(len(move.record.payload or "") for move in moves)
        self.done = threading.Lock()
        self.done.acquire()
        self.error: BaseException | None = None

    @property
    def is_owed(self) -> bool:
        return self.release is not None and self.release.is_owed

    def settle(self, error: BaseException | None = None) -> None:
        """Lets the waiting caller go on, or raises `error` there. Once only."""
        self.error = error
        self.done.release()

    def wait(self) -> None:
        """Returns when the entry is durable; raises what it was settled with."""
        with self.done:
            pass
        if self.error is not None:
            raise self.error


@dataclass(slots=True, eq=False)
class Lane:
    """One execution under one claim in this process.

    `queue` waits for the next flush; `under_way` is the current one, or the `turn` of an atomic step. `has_begun`: the handler was called.
    `is_closing`: the release is queued; `released`: it is durable. `lost`: the claim is gone. `is_pausing`: a pause was asked for.
    """

    execution_id: UUID
    claim_id: UUID
    clock: DatabaseClock
    checkpoint_seq: int
    wake_seq: int
    told_seq: int
    deadline_at: datetime | None = None
    operations: dict[str, OperationRecord] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    queue: deque[Entry] = field(default_factory=deque)
    under_way: tuple[Entry, ...] = ()
    turn: Entry | None = None
    lost: bool = False
    has_begun: bool = False
    released: bool = False
    is_closing: bool = False
    is_pausing: bool = False
    is_cut: bool = False
    # A handler elsewhere checkpoints under this claim: sequences and operations are in the row, and this process only gives the claim back.
    is_shared: bool = False
    status_text: str | None = None
    attributes: dict[str, object] = field(default_factory=dict)
    on_settled: Callable[[], None] | None = None
    # Set when a suspension is known to be durable: `operations` then equal the rows as they were at this wake_seq.
    known_wake_seq: int | None = None

    def apply(self, updates: tuple[OperationUpdate, ...]) -> Entry:
        """Applies the updates in memory and queues the moves, all or none. Raises `IllegalTransitionError`, `ClaimLostError`."""
        with self.lock:
            self.refuse_lost()
            at = self.clock.now()
            if len(updates) == 1:
                moves = [apply_update(self.operations.get(updates[0].id), updates[0], at)]
            else:
                moves = self._apply_many(updates, at)
            for move in moves:
                self.operations[move.record.id] = move.record
            entry = Entry(moves, at)
            self.queue.append(entry)
            return entry

    def fire_due(self, now: datetime) -> Entry | None:
        """Queues the moves of every timer due at `now`; None when none is. They are written only if nothing changed that is not known here.

        While such moves are queued or under way their entry is returned, so that a timer fires once, whoever asks first.
        """
        with self.lock:
            self.refuse_lost()
            for entry in (*self.under_way, *self.queue):
                if entry.woken:
                    return entry
            due = sorted(
                (record for record in self.operations.values() if record.due_at is not None and record.due_at <= now),
                key=lambda record: (record.due_at, record.start_event),
            )
            moves = [move for record in due if (move := fire_timer(record, now)) is not None]
            if not moves:
                return None
            entry = Entry(moves, now, woken=1, expect_wake=self.wake_seq)
            # Heartbeats are not told to this process, so only the row knows whether such a callback is really late.
            entry.needs_lock = any(move.record.options.heartbeat for move in moves)
            self.queue.append(entry)
            return entry

    def take_turn(self) -> Entry | None:
        """Reserves the lane for an atomic step: nothing else is flushed until `end_turn`. None while something is queued or under way."""
        with self.lock:
            self.refuse_lost()
            if self.under_way or self.queue:
                return None
            self.turn = Entry([], self.clock.now())
            self.turn.is_taken = True
            self.under_way = (self.turn,)
            return self.turn

    def end_turn(self) -> None:
        """Lets the lane's queue go on. Does nothing if the step's commit, or the loss of the claim, has ended the turn before."""
        with self.lock:
            turn, self.turn = self.turn, None
            if turn is None or turn not in self.under_way:
                return
            self.under_way = ()
        turn.settle()

    def close(self, entry: Entry) -> Entry:
        """Queues the entry that gives the claim back. Every later call unwinds, also an atomic step that has its turn."""
        with self.lock:
            self.refuse_lost()
            self.is_closing = True
            self.queue.append(entry)
            if self.under_way == (self.turn,):
                self.end_turn()
            return entry

    def merge(self, changed: Mapping[str, OperationRecord], wake_seq: int) -> None:
        """Takes over what outsiders and time changed. The handler is told with the next answer that one of its threads waits for."""
        with self.lock:
            self.operations.update(changed)
            self.wake_seq = wake_seq

    def nearest_timer(self) -> datetime | None:
        waiting = (OperationStatus.STARTED, OperationStatus.PENDING)
        timers = (r.due_at for r in self.operations.values() if r.due_at is not None and r.status in waiting)
        return min(timers, default=None)

    def lose(self) -> None:
        """The claim is gone: whoever waits or calls later unwinds, and nothing more is sent."""
        with self.lock:
            self.lost = True
            entries, self.queue = tuple(self.queue), deque()
            self.under_way, entries = (), (*self.under_way, *entries)
        for entry in entries:
            entry.settle(ClaimLostError("the execution was stopped, timed out or taken over"))

    def refuse_lost(self) -> None:
        if self.lost or self.is_closing:
            raise ClaimLostError("the execution was stopped, timed out or taken over")

    def _apply_many(self, updates: tuple[OperationUpdate, ...], at: datetime) -> list[Transition]:
        changed: dict[str, OperationRecord] = {}
        moves = []
        for update in updates:
            move = apply_update(changed.get(update.id) or self.operations.get(update.id), update, at)
            changed[update.id] = move.record
            moves.append(move)
        return moves
