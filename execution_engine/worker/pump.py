"""The claims loop: looks when it is rung, when something falls due, and at least once a second; claims only what can run at once."""

import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from execution_engine.journal import claims, connections, limited, reader
from execution_engine.journal.bell import CHANNEL
from execution_engine.journal.claims import Claim, Claimer
from execution_engine.journal.reader import Loaded

if TYPE_CHECKING:
    from execution_engine.worker.runtime import Runtime

logger = logging.getLogger(__name__)
RECONNECT_SECONDS = 0.5
LISTEN_SECONDS = 0.5  # between looks at the stop event; a notification ends the wait at once
SUSPECT_PATIENCE_LOOKS = 10
LOCKED_SECONDS = 0.005
AFTERWARDS_SECONDS = 0.008
LATE_SECONDS = 0.01
"""How much later than the one before it each child of a worker answers a ring, up to `MOST_LATE` times: if all looked at once, the
looks in vain would take the time of the one execution that is due. The first child, most often rested, keeps what it remembers."""
MOST_LATE = 3


class Pump:
    """Two threads: the loop, and a listener for NOTIFY that only sets the runtime's event `look`."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._is_stopping = threading.Event()
        self._is_full = False
        self._impatience = 0
        self._knows_suspects = self._knows_limits = True
        self._patience = LATE_SECONDS * min(runtime.order, MOST_LATE)
        self._is_rung = self._is_late = self._is_afterwards = False
        self.operations_read = 0
        self._connection: psycopg.Connection[Any] | None = None
        self._loop = threading.Thread(target=self._serve, name="durable-pump", daemon=True)
        self._listener = threading.Thread(target=self._listen, name="durable-listener", daemon=True)

    def start(self) -> None:
        self._loop.start()
        self._listener.start()

    def stop(self) -> None:
        """Returns once no further claim can follow."""
        self._is_stopping.set()
        self._runtime.look.set()
        self._loop.join()
        self._listener.join()

    @property
    def is_alive(self) -> bool:
        return self._loop.is_alive()

    def ring(self) -> None:
        """A bell says that something may be due; every worker has heard it."""
        self._is_rung = True
        self._runtime.look.set()

    def freed(self, was_limited: bool) -> None:
        """A handler thread is free. Looks at once if more may be due, but only when a quarter of the threads is free, not for each of them.

        What a limit held back may follow at once; nobody rings for that.
        """
        free = self._runtime.free
        may_refill = self._is_full and free * 4 >= self._settings.THREADS
        if was_limited or may_refill or (self._knows_suspects and free == self._settings.THREADS):
            self._runtime.look.set()

    def _serve(self) -> None:
        while not self._runtime.keeper.is_seen.wait(self._settings.LOOK_SECONDS) and not self._is_stopping.is_set():
            pass
        while not self._is_stopping.is_set():
            self._runtime.look.clear()
            try:
                pause = self._turn()
            except psycopg.Error as error:
                logger.warning("the claims loop lost its connection, trying again: %s", error)
                self._disconnect()
                self._is_stopping.wait(RECONNECT_SECONDS)
                continue
            if pause > 0:
                self._is_afterwards = not self._runtime.look.wait(pause) and self._is_afterwards
                self._let_others_go_first()
        self._disconnect()

    def _let_others_go_first(self) -> None:
        if self._is_rung and self._patience:
            self._is_stopping.wait(self._patience)
            self._is_late = True
        self._is_rung = False

    def _turn(self) -> float:
        """Claims and dispatches once; returns how many seconds to wait before the next look."""
        connection = self._connected()
        versions = list(self._runtime.versions)
        random.shuffle(versions)  # a flood of one function must not always come first
        longest = self._settings.LOOK_SECONDS * random.uniform(0.7, 1.0)  # workers must not look in step
        if not versions or self._runtime.is_draining or self._runtime.free <= 0 or self._runtime.is_alone:
            return longest
        if self._knows_suspects and self._serves_suspects(connection, versions):
            return longest
        if self._is_afterwards:
            self._is_afterwards = False
            pause = self._pause(connection, versions, longest)
            return pause if pause > LOCKED_SECONDS else 0
        is_late, self._is_late = self._is_late, False
        if is_late and not self._is_full and (pause := self._pause(connection, versions, longest)) > LOCKED_SECONDS:
            return pause  # somebody else was quicker
        limit = self._runtime.free
        found = self._claim(connection, versions, limit)
        self._dispatch(connection, found)
        self._is_full = len(found) == limit
        if found and not self._is_full:
            # What is next is asked a moment later, unless somebody rings: now it would take time from what was just begun.
            self._is_afterwards = True
            return AFTERWARDS_SECONDS
        return self._pause(connection, versions, longest)

    def _claim(
        self, connection: psycopg.Connection[Any], versions: Sequence[int], limit: int, *, suspects: bool = False, alone: bool = False
    ) -> list[Claim]:
        """One statement; where functions have limits a second look for what the first left room for, whichever of the two comes first."""
        claimer = Claimer(versions, self._runtime.boot_id, limit, self._settings.CLAIM_SECONDS, suspects, alone)
        found: list[Claim] = []
        for look in random.sample((claims.claim, limited.claim), 2) if self._knows_limits else (claims.claim,):
            if len(found) < limit:
                found += look(connection, replace(claimer, limit=limit - len(found)))
        return found

    def _pause(self, connection: psycopg.Connection[Any], versions: Sequence[int], longest: float) -> float:
        """Suspects are asked for after a claim: what is due does not wait for an answer that is nearly always no."""
        knew_suspects = self._knows_suspects
        knew_limits = self._knows_limits
        outlook = claims.outlook(connection, versions)
        due, self._knows_suspects, self._knows_limits = outlook.due, outlook.has_suspects, outlook.has_limits
        if (self._knows_suspects and not knew_suspects) or (self._knows_limits and not knew_limits):
            return 0
        if self._is_full:
            return longest if self._runtime.free <= 0 else 0
        # Due and yet not claimed: somebody else holds its row, most often a sibling's claim. Asking without a pause would burn a core.
        return longest if due is None else min(longest, max(LOCKED_SECONDS, due))

    def _serves_suspects(self, connection: psycopg.Connection[Any], versions: Sequence[int]) -> bool:
        """Suspects begin one at a time with nothing else in flight; a child that never gets empty takes them along after a while."""
        if not claims.has_suspects(connection, versions):
            self._impatience = 0
            return False
        alone = self._runtime.in_flight == 0
        if not alone:
            self._impatience += 1
            if self._impatience < SUSPECT_PATIENCE_LOOKS:
                return True
        found = self._claim(connection, versions, 1, suspects=True, alone=alone)
        self._dispatch(connection, found)
        return bool(found) and alone

    def _dispatch(self, connection: psycopg.Connection[Any], found: list[Claim]) -> None:
        if not found:
            return
        self._runtime.clock.set(found[0].now)
        loaded = self._load(connection, found)
        for claim in found:
            self._runtime.dispatch(claim, loaded.get(claim.execution_id))

    def _load(self, connection: psycopg.Connection[Any], found: list[Claim]) -> dict[UUID, Loaded]:
        """Everything recorded, or only what changed where this process remembers the rest."""
        remembered = {claim.execution_id: memory for claim in found if (memory := self._runtime.warm.take(claim)) is not None}
        moved = {
            c.execution_id: remembered[c.execution_id].wake_seq
            for c in found
            if c.execution_id in remembered and c.wake_seq != remembered[c.execution_id].wake_seq
        }
        cold = [claim.execution_id for claim in found if claim.has_operations and claim.execution_id not in remembered]
        loaded = reader.load(connection, cold) if cold else {}
        changed = reader.load_changed(connection, moved) if moved else {}
        self.operations_read += sum(len(one.operations) for one in (*loaded.values(), *changed.values()))
        for claim in found:
            memory = remembered.get(claim.execution_id)
            if memory is None:
                continue
            news = changed.get(claim.execution_id)
            if news is not None:
                memory.operations.update(news.operations)
            loaded[claim.execution_id] = Loaded(claim.wake_seq if news is None else news.wake_seq, claim.now, memory.operations)
        return loaded

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connections.connect("pump")
            # What is in flight here comes before anything new: claims that ended while the database was away are still ours.
            mine = [(i.claim.execution_id, i.claim.claim_id) for i in self._runtime.invocations()]
            if mine:
                claims.renew(self._connection, mine, self._settings.CLAIM_SECONDS)
            self._runtime.keeper.register_versions(self._connection)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen(self) -> None:
        while not self._is_stopping.is_set():
            try:
                with connections.connect("listener") as connection:
                    connection.execute(f"listen {CHANNEL}")
                    self._runtime.look.set()
                    while not self._is_stopping.is_set():
                        for _ in connection.notifies(timeout=LISTEN_SECONDS):
                            self.ring()
            except psycopg.Error as error:
                logger.debug("the listener lost its connection, looking goes on: %s", error)
                self._is_stopping.wait(RECONNECT_SECONDS)
