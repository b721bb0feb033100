"""One worker runtime per process: the journal writer, the claims loop, the keeper, and the handler threads between them.

Started after the fork, since threads and connections do not survive one. Lock order: the runtime's lock is never held while a
lane's or the writer's is taken.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from functools import partial
from uuid import UUID, uuid4

from execution_engine.conf import EngineSettings
from execution_engine.core.clock import DatabaseClock
from execution_engine.invocation.run import Invocation
from execution_engine.journal import claims, connections
from execution_engine.journal.bell import Bell
from execution_engine.journal.claims import Claim
from execution_engine.journal.lane import Lane
from execution_engine.journal.reader import Loaded
from execution_engine.journal.warm import WarmHistories
from execution_engine.journal.writer import Writer
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.worker import output
from execution_engine.worker.chores import Chores
from execution_engine.worker.courier import Courier
from execution_engine.worker.keeper import Keeper
from execution_engine.worker.pump import Pump
from execution_engine.worker.threads import HandlerThreads

logger = logging.getLogger(__name__)


class Runtime:
    """`serves=False` is a process that only runs its own executions (`fn.run()`), claiming nothing. `order` numbers a worker's children."""

    def __init__(self, settings: EngineSettings, bell: Bell, *, serves: bool = True, order: int = 0) -> None:
        self.settings = settings
        self.order = order
        self.boot_id = uuid4()
        self.clock = DatabaseClock()
        self.versions: Mapping[int, RegisteredFunction] = {}
        self.threads = HandlerThreads(settings.THREADS)
        self.warm = WarmHistories(settings.WARM_EXECUTIONS, settings.WARM_BYTES)
        self.look = threading.Event()
        self.is_draining = False
        self._is_stopped = False
        self.writer = Writer(
            connections.connect,
            self.clock,
            held_seconds=settings.HELD_START_SECONDS,
            flush_bytes=settings.FLUSH_PAYLOAD_BYTES,
            on_due=self.ring,
        )
        self._bell = bell
        self._lock = threading.Lock()
        self._in_flight: dict[UUID, Invocation] = {}
        self._lost: set[UUID] = set()
        self._alone_since: float | None = None
        self.keeper = Keeper(self)
        self.courier = Courier(self)
        self.chores = Chores(settings.LOOK_SECONDS)
        self.pump = Pump(self) if serves else None

    def start(self) -> None:
        """Returns at once; every thread waits for the database by itself. The keeper comes last, because it watches the others."""
        self.writer.start()
        if self.pump is not None:
            self.pump.start()
            self.courier.start()
            self.chores.start()
        self.keeper.start()

    def stop(self) -> None:
        """Claims nothing more, waits up to `DRAIN_SECONDS` for what is in flight, hands back the rest, and ends."""
        if self._is_stopped:
            return
        self._is_stopped = self.is_draining = True
        if self.pump is not None:
            self.pump.stop()
        ends = time.monotonic() + self.settings.DRAIN_SECONDS
        while self.in_flight and time.monotonic() < ends:
            time.sleep(0.01)
        self.keeper.stop()
        if self.pump is not None:
            self.courier.stop()
            self.chores.stop()
        if self.in_flight:
            self.hand_back()
        self.threads.stop()
        self.writer.stop()

    def hand_back(self) -> None:
        """Gives up all claims of this process at once; running handlers unwind at their next call."""
        with connections.connect("hand-back") as connection:
            claims.take_over(connection, dead=self.boot_id, are_suspects=False)
        for invocation in self.invocations():
            invocation.lane.lose()
        self._bell.ring()

    @property
    def is_whole(self) -> bool:
        """Whether the writer's threads and the claims loop are alive."""
        return self._is_stopped or (self.writer.is_alive and (self.pump is None or self.pump.is_alive))

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def free(self) -> int:
        return self.settings.THREADS - len(self._in_flight)

    @property
    def lost_threads(self) -> int:
        return len(self._lost)

    @property
    def is_alone(self) -> bool:
        """Whether a suspect has this child to itself: until it has durably ended an operation, or for 10 s."""
        since = self._alone_since
        return since is not None and time.monotonic() - since < 10 and bool(self._in_flight)

    def invocations(self) -> list[Invocation]:
        with self._lock:
            return list(self._in_flight.values())

    def dispatch(self, claim: Claim, loaded: Loaded | None) -> None:
        """Runs a claimed execution on a handler thread."""
        invocation = self.invocation(claim, loaded)
        with self._lock:
            former = [one for one in self._in_flight.values() if one.claim.execution_id == claim.execution_id]
            self._in_flight[claim.claim_id] = invocation
            if claim.runs_alone:
                self._alone_since = time.monotonic()
                invocation.lane.on_settled = self._end_alone
        for one in former:  # stopped and redriven, most likely: its handler still has a thread, and no claim
            one.lane.lose()
        self.threads.submit(partial(self._run, invocation))

    def run_here(self, claim: Claim) -> None:
        """Runs an execution that this process inserted as claimed, on the calling thread, until its end or first suspension."""
        invocation = self.invocation(claim, None)
        with self._lock:
            self._in_flight[claim.claim_id] = invocation
        self._run(invocation)

    def invocation(self, claim: Claim, loaded: Loaded | None) -> Invocation:
        lane = Lane(
            execution_id=claim.execution_id,
            claim_id=claim.claim_id,
            clock=self.clock,
            checkpoint_seq=claim.checkpoint_seq,
            wake_seq=claim.wake_seq if loaded is None else loaded.wake_seq,
            told_seq=claim.told_seq,
            deadline_at=claim.deadline_at,
            operations={} if loaded is None else loaded.operations,
        )
        return Invocation(claim, self.versions[claim.version_id], lane, self.writer, self.settings)

    def time_out(self, invocation: Invocation) -> None:
        """A handler that hangs loses its claim. Its thread counts as lost until it returns; too many lost threads end this child. The
        thread of a remote handler returns at once."""
        logger.error("the handler of %s exceeded its invocation timeout", invocation.arn)
        invocation.time_out()
        if invocation.is_remote:
            invocation.give_up()
            return
        with self._lock:
            self._lost.add(invocation.claim.claim_id)
        threads = self.settings.THREADS
        if self.pump is not None and len(self._lost) >= min(8, max(1, threads // 2)):
            logger.error("%d handler threads hang: handing back the claims of this child and ending it", len(self._lost))
            self.is_draining = True
            time.sleep(0.2)  # lets the writer record the time-outs just queued
            self.hand_back()
            os._exit(1)

    def _run(self, invocation: Invocation) -> None:
        try:
            with output.belongs_to(invocation.arn, invocation.claim.trace):
                invocation.run()
        finally:
            with self._lock:
                self._in_flight.pop(invocation.claim.claim_id, None)
                self._lost.discard(invocation.claim.claim_id)
                if invocation.claim.runs_alone:
                    self._alone_since = None
            if self.pump is not None:
                self.warm.keep(invocation.claim, invocation.lane)
                self.pump.freed(invocation.claim.is_limited)
            if invocation.claim.has_parent:
                self.courier.wake.set()

    def _end_alone(self) -> None:
        self._alone_since = None
        self.look.set()

    def ring(self) -> None:
        self.look.set()
        self._bell.ring()
