"""A worker process: it looks for due executions, runs handlers, flushes for all of them at once, and may die or freeze anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import ExecutionRecord, OperationRecord
from execution_engine.core.transitions import execution as moves
from tests.simulation.entries import Ending, Entry, Release
from tests.simulation.families import Families
from tests.simulation.limited import LIMIT, Turns
from tests.simulation.protocol import Known, Protocol
from tests.simulation.scheduler import Gate, Process, Scheduler, Steps, Task
from tests.simulation.session import Session
from tests.simulation.variants import Variant

Handler = Callable[[Session], Steps]
"""Runs one invocation over a session and returns the `Release` with which it ends."""

SLOTS = 2


@dataclass(frozen=True)
class Memory:
    """What a worker remembers of an execution that it suspended; `told` is the wake_seq that it is up to date with."""

    checkpoint_seq: int
    redrives: int
    told: int
    operations: dict[str, OperationRecord]


class Worker:
    def __init__(self, protocol: Protocol, handler: Handler, *, lost_replies: float) -> None:
        self.protocol = protocol
        self.families = Families(protocol)
        self.turns = Turns(protocol) if protocol.database.latest(LIMIT) is not None else None
        self.variant = protocol.variant
        self.scheduler: Scheduler = protocol.scheduler
        self.executions = protocol.executions
        self.handler = handler
        self.lost_replies = lost_replies
        self.process = Process()
        self.work = Gate()
        self.bell = Gate()
        self.sessions: list[Session] = []
        self.backends: list[Task] = []
        self.claimed: set[UUID] = set()
        self.memories: dict[int, Memory] = {}
        for loop in (self._look(), self._tick(), self._write(), self._renew()):
            self._spawn(loop)
        self.courier = self._spawn(self._keep_families())

    def crash(self) -> None:
        """The process is gone. What its connections had sent may still be carried out by the database, or not."""
        self.scheduler.crash(self.process)
        for backend in self.backends:
            if self.scheduler.random.random() < 0.5:
                self.scheduler.kill(backend)

    def _spawn(self, steps: Steps) -> Task:
        return self.scheduler.spawn(steps, self.process)

    def _look(self) -> Steps:
        """Claims what is due, takes over what nobody holds any more, fires timers of what it holds. Bells only make it look sooner."""
        own = self.claimed
        while True:
            self.bell.is_open = False
            if self.variant is not Variant.OWN_CLAIMS_SPARED:
                own = frozenset(session.claim_id for session in self.sessions)
            for session in self.sessions:
                if not session.is_over:
                    session.fire_due()
            yield from self.protocol.take_over(self.executions, own)
            yield from self.protocol.look_after_paused(self.executions)
            free = SLOTS - len(self.sessions)
            if free > 0:
                claimed = yield from self._claim(free)
                for number, row in (claimed or {}).items():
                    session = Session(self, number, row)
                    self.sessions.append(session)
                    self._spawn(self._invoke(session, row))
            yield self.bell

    def _claim(self, free: int) -> Steps:
        if self.turns is None:
            return (yield from self._call(self.protocol.claim(self.executions, free, self.claimed)))
        look = yield from self._call(self.turns.look(self.executions, free))
        return None if look is None else (yield from self._call(self.turns.take(look, self.claimed)))

    def _tick(self) -> Steps:
        """Looks by itself, too: every bell may be lost."""
        while True:
            yield self.scheduler.random.uniform(0.5, 6.0)
            self.scheduler.open(self.bell)

    def _invoke(self, session: Session, row: ExecutionRecord) -> Steps:
        """From claim to release."""
        try:
            known = yield from self.protocol.load(session.number)
            if known.row is None or known.row.claim_id != session.claim_id:
                raise ClaimLostError
            session.merge(self._recalled(session, row, known))
            if moves.is_past_deadline(row, self.scheduler.now):
                yield from session.suspend(Release(Ending.SUSPEND, session.told))
            ticket = session.fire_due()
            if ticket is not None:
                yield from session.wait(ticket)
            if session.told == row.told_seq:
                self.protocol.met["woke nobody"] += 1
                release = Release(Ending.HAND_BACK, session.told, session.nearest_timer())
            else:
                release = yield from self.handler(session)
            yield from session.suspend(release)
            if session.is_certain and release.ending in (Ending.SUSPEND, Ending.HAND_BACK):
                self.memories[session.number] = Memory(session.checkpoint_seq, session.redrives, session.told, session.operations)
        except ClaimLostError:
            pass
        finally:
            session.is_over = True
            if session in self.sessions:
                self.sessions.remove(session)

    def _recalled(self, session: Session, row: ExecutionRecord, known: Known) -> Known:
        """What to merge: everything, or only what changed since this worker suspended the execution, if nobody wrote since."""
        memory = self.memories.pop(session.number, None)
        if memory is None or (memory.checkpoint_seq != row.checkpoint_seq and self.variant is not Variant.WARM_UNCHECKED):
            return known
        if memory.redrives != session.redrives and self.variant is not Variant.WARM_ACROSS_REDRIVE:
            return known
        self.protocol.met["resumed warm"] += 1
        session.operations, session.told = memory.operations, memory.told
        changed = {one.id: one for one in known.operations.values() if (one.wake_seq or 0) > memory.told}
        return Known(known.row, changed)

    def _keep_families(self) -> Steps:
        """The courier and the duty for redriven parents."""
        while True:
            yield self.scheduler.random.uniform(0.2, 3.0)
            yield from self.families.deliver()
            yield from self.families.redrive_children()

    def _renew(self) -> Steps:
        while True:
            yield self.scheduler.random.uniform(5.0, 12.0)
            for session in list(self.sessions):
                yield from self.protocol.renew(session.number, session.claim_id)

    def _write(self) -> Steps:
        """The one writer: whatever the sessions have ready goes in one statement."""
        while True:
            self.work.is_open = False
            ready = [(session, entry) for session in self.sessions if (entry := session.take()) is not None]
            if not ready:
                yield self.work
                continue
            yield
            rows = yield from self._call(self.protocol.flush([entry for _, entry in ready if not entry.goes_alone]))
            for session, entry in ready:
                if rows is None and not entry.goes_alone:
                    self._spawn(self._recover(session, entry))
                elif rows and entry.execution in rows:
                    self._spawn(self._answer(session, entry, rows[entry.execution]))
                else:
                    self._spawn(self._go_alone(session, entry))

    def _call(self, statement: Steps) -> Steps:
        """Sends a statement; None when the connection is lost before the answer, whatever becomes of the statement."""
        backend = self.scheduler.spawn(statement)
        self.backends = [task for task in self.backends if not task.is_over] + [backend]
        if self.scheduler.random.random() < self.lost_replies:
            for _ in range(self.scheduler.random.randrange(6)):
                yield
            if self.scheduler.random.random() < 0.3:
                self.scheduler.kill(backend)
            return None
        yield backend.done
        return backend.result

    def _recover(self, session: Session, entry: Entry) -> Steps:
        try:
            was_written = yield from self.protocol.recover(entry)
        except ClaimLostError:
            session.is_certain = False
            session.settle(lost=entry.release is None)
            return
        if self.variant is Variant.BLIND_RESEND:
            yield from self._go_alone(session, replace(entry, checkpoint_seq=None))
        elif not was_written:
            yield from self._go_alone(session, entry)
        else:
            yield from self._catch_up(session)

    def _go_alone(self, session: Session, entry: Entry) -> Steps:
        try:
            known = yield from self.protocol.slow_flush(entry)
        except ClaimLostError:
            session.settle(lost=True)
            return
        session.merge(known)
        session.is_pausing = known.row.status is ExecutionStatus.PAUSING
        session.checkpoint_seq += 1
        session.settle(lost=False)

    def _answer(self, session: Session, entry: Entry, row: ExecutionRecord) -> Steps:
        if entry.by_time:
            fired = (replace(move.record, wake_seq=row.wake_seq) for move in entry.transitions)
            session.merge(Known(row, {operation.id: operation for operation in fired}))
        session.checkpoint_seq += 1
        session.is_pausing = row.status is ExecutionStatus.PAUSING
        if entry.release is not None and self.variant is Variant.WARM_UNREAD:
            session.told = row.wake_seq
        if entry.release is None and row.wake_seq != session.told:
            self.protocol.met["told while running"] += 1
            session.merge((yield from self.protocol.load(session.number)))
        session.settle(lost=False)

    def _catch_up(self, session: Session) -> Steps:
        """Written after all, but the answer with the new wake_seq is gone: read again what there is."""
        session.merge((yield from self.protocol.load(session.number)))
        session.checkpoint_seq += 1
        session.settle(lost=False)
