"""One invocation inside a worker: what it knows, and its first-in-first-out queue with one outstanding entry."""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.errors import ClaimLostError, IllegalTransitionError
from execution_engine.core.records import ExecutionRecord, OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions import apply_update, fire_timer
from tests.simulation.database import execution_key
from tests.simulation.entries import Entry, Release
from tests.simulation.protocol import Known
from tests.simulation.rows import Row
from tests.simulation.scheduler import Gate, Scheduler, Steps
from tests.simulation.variants import Variant

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

HELD = timedelta(milliseconds=50)


class Ticket:
    """A place in the queue: moves that are already made in memory, or the invocation's end."""

    __slots__ = ("by_time", "done", "held_until", "is_lost", "release", "transitions")

    def __init__(
        self,
        transitions: tuple[Transition, ...] = (),
        *,
        release: Release | None = None,
        by_time: bool = False,
        held_until: datetime | None = None,
    ) -> None:
        self.transitions = transitions
        self.release = release
        self.by_time = by_time
        self.held_until = held_until
        self.is_lost = False
        self.done = Gate()

    @property
    def needs_reading(self) -> bool:
        """Who waits for a signal must look for a buffered one under the lock, and a child is started there: a flush does neither."""
        return any(move.record.options.signal is not None or move.record.options.child_id is not None for move in self.transitions)


class PausedError(Exception):
    """The execution is being paused: the invocation answers PENDING, and is owed another one."""


class Session:
    """The journal of one claim as its handler sees it. `told` is the wake_seq that memory is up to date with."""

    def __init__(self, worker: "Worker", number: int, row: ExecutionRecord) -> None:
        assert row.claim_id is not None
        self.worker = worker
        self.scheduler: Scheduler = worker.scheduler
        self.number = number
        self.claim_id: UUID = row.claim_id
        self.checkpoint_seq = row.checkpoint_seq
        self.redrives = row.redrive_count if isinstance(row, Row) else 0
        self.told = row.told_seq
        self.operations: dict[str, OperationRecord] = {}
        self.queue: deque[Ticket] = deque()
        self.outstanding: list[Ticket] = []
        self.is_over = False
        self.is_certain = True
        self.is_pausing = False
        """As the last answer told: the handler unwinds at its next checkpoint, except between a START and its body."""
        self.told_before = row.told_seq

    def merge(self, known: Known) -> None:
        """Takes over what outsiders and time changed. Memory may be ahead of the rows in what its handler moves itself."""
        for operation in known.operations.values():
            is_news = operation.id not in self.operations or (operation.wake_seq or 0) > self.told
            if is_news or operation.type is OperationType.CALLBACK:
                self.operations[operation.id] = operation
        self.told = known.row.wake_seq

    def checkpoint(self, *updates: OperationUpdate) -> Steps:
        """Returns when the moves are durable and outside changes are merged. Raises `ClaimLostError`."""
        yield from self.wait(self.put(Ticket(self._plan(updates))))
        begins_body = updates[-1].type is OperationType.STEP and updates[-1].action is OperationAction.START
        if self.is_pausing and not begins_body:
            raise PausedError

    def hold(self, update: OperationUpdate) -> None:
        until = self.scheduler.now + HELD
        self.put(Ticket(self._plan((update,)), held_until=until))
        self.scheduler.spawn(self._remind(), self.worker.process)

    def fire_due(self) -> Ticket | None:
        """Time's moves of a claimed execution: by memory, which the flush compares with `wake_seq`."""
        now = self.scheduler.now
        if not any(operation.due_at is not None and operation.due_at <= now for operation in self.operations.values()):
            return None
        if any(ticket.by_time for ticket in (*self.queue, *self.outstanding)):
            return None
        return self.put(Ticket(by_time=True))

    def suspend(self, release: Release) -> Steps:
        yield from self.wait(self.put(Ticket(release=release)))

    def put(self, ticket: Ticket) -> Ticket:
        if self.is_over:
            raise ClaimLostError
        self.queue.append(ticket)
        self.scheduler.open(self.worker.work)
        return ticket

    def wait(self, ticket: Ticket) -> Steps:
        while not ticket.done.is_open:
            yield ticket.done
        if ticket.is_lost:
            raise ClaimLostError

    def nearest_timer(self) -> datetime | None:
        due = (operation.due_at for operation in self.operations.values() if not operation.is_terminal)
        return min((moment for moment in due if moment is not None), default=None)

    def take(self) -> Entry | None:
        """The next entry, when none is outstanding and somebody waits or a held START is old enough.

        It takes everything queued before its last ticket along; time's moves and the end travel alone or last.
        """
        if self.is_over or (self.outstanding and self.worker.variant is not Variant.OVERTAKING):
            return None
        now, taken = self.scheduler.now, list[Ticket]()
        if not any(ticket.held_until is None or ticket.held_until <= now for ticket in self.queue):
            return None
        while self.queue and not (taken and self.queue[0].by_time):
            taken.append(self.queue.popleft())
            if taken[-1].by_time or taken[-1].release is not None:
                break
        self.outstanding += taken
        return self._entry(taken)

    def settle(self, *, lost: bool) -> None:
        """The outstanding entry is answered; when the claim is lost, so is everything behind it."""
        self.is_over = self.is_over or lost or any(ticket.release is not None for ticket in self.outstanding)
        answered, self.outstanding = self.outstanding, []
        if self.is_over:
            answered += self.queue
            self.queue.clear()
        for ticket in answered:
            ticket.is_lost = lost
            self.scheduler.open(ticket.done)
        self.scheduler.open(self.worker.work)

    def _entry(self, taken: list[Ticket]) -> Entry:
        by_time, release = taken[-1].by_time, taken[-1].release
        if release is not None and self.worker.variant is Variant.TOLD_AT_FLUSH:
            release = replace(release, told=self.told)
        transitions = self._fire() if by_time else tuple(move for ticket in taken for move in ticket.transitions)
        return Entry(
            execution=self.number,
            claim_id=self.claim_id,
            checkpoint_seq=None if self.worker.variant is Variant.OVERTAKING else self.checkpoint_seq,
            transitions=transitions,
            by_time=by_time,
            expect_wake=self.told if by_time else None,
            release=release,
            goes_alone=any(ticket.needs_reading for ticket in taken) or self._needs_beats(transitions, by_time),
        )

    def _needs_beats(self, transitions: tuple[Transition, ...], by_time: bool) -> bool:
        """A heartbeat wakes nobody, so memory may not know of it: such a timer is judged by its row."""
        unseen = by_time and any(move.record.options.heartbeat for move in transitions)
        return unseen and self.worker.variant is not Variant.HEARTBEAT_UNSEEN

    def _fire(self) -> tuple[Transition, ...]:
        moves = (fire_timer(operation, self.scheduler.now) for operation in self.operations.values())
        return tuple(move for move in moves if move is not None)

    def _plan(self, updates: tuple[OperationUpdate, ...]) -> tuple[Transition, ...]:
        moves = []
        for update in updates:
            try:
                move = apply_update(self.operations.get(update.id), update, self.scheduler.now)
            except IllegalTransitionError:
                # A frozen session may have merged what its successor did; the SDK raises CheckpointError, and the fence refuses the rest.
                row = self.worker.protocol.database.latest(execution_key(self.number))
                if row is not None and row.claim_id == self.claim_id:
                    raise
                raise ClaimLostError from None
            self.operations[update.id] = move.record
            moves.append(move)
        return tuple(moves)

    def _remind(self) -> Steps:
        yield HELD.total_seconds()
        self.scheduler.open(self.worker.work)
