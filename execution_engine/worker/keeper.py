"""The keeper of a runtime: renews claims, shows that the worker lives, ends what takes too long, takes over from the dead."""

import json
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg

from execution_engine.journal import claims, connections, functions
from execution_engine.journal.lane import Entry
from execution_engine.journal.statements import statement
from execution_engine.sdk.registry import registered_functions
from execution_engine.worker import duties, processes

if TYPE_CHECKING:
    from execution_engine.worker.runtime import Runtime

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.2
SEE_SECONDS = 1.0


class Keeper:
    """One thread, one connection, a turn every 0.2 s; database work at most once a second unless a sibling died."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._host = processes.boot_mark()
        self._is_stopping = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self._renew_at = 0.0
        self._see_at = 0.0
        self.is_seen = threading.Event()
        """Set once this worker's row is committed: a claim taken before could not be recognised as a dead sibling's."""
        self._siblings: list[tuple[Any, int, str]] = []
        self._thread = threading.Thread(target=self._serve, name="durable-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        self._thread.join()

    def register_versions(self, connection: psycopg.Connection[Any]) -> None:
        """Writes the registered functions and remembers their rows' ids: what this worker serves."""
        with connection.cursor() as cursor:
            self._runtime.versions = {functions.register(cursor, f): f for f in registered_functions()}
        duties.ensure(connection)

    def _serve(self) -> None:
        while not self._is_stopping.is_set():
            try:
                self._turn()
            except psycopg.Error as error:
                logger.warning("the keeper lost its connection, trying again: %s", error)
                self._disconnect()
                self._is_stopping.wait(SEE_SECONDS)
            except Exception:  # without the keeper every claim of this child would end: its next turn must come
                logger.exception("a turn of the keeper failed")
            self._is_stopping.wait(TICK_SECONDS)
        self._forget()

    def _turn(self) -> None:
        if self._runtime.pump is not None and not self._runtime.is_whole:
            # A bug ended a thread that everything here needs. A child that looks alive and does nothing is worse than a dead one.
            logger.critical("a thread of the runtime has ended: this worker child ends, too, and its siblings take over")
            os._exit(1)
        self._end_what_takes_too_long()
        self._fire_timers_in_flight()
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew(now)
        if self._runtime.pump is None:
            return
        if any(processes.start_time(pid) != started for _, pid, started in self._siblings):
            self._see_at = 0.0
        if now >= self._see_at:
            self._see_at = now + SEE_SECONDS
            self._see()

    def _end_what_takes_too_long(self) -> None:
        now = self._runtime.clock.now()
        for invocation in self._runtime.invocations():
            lane = invocation.lane
            if lane.lost or lane.is_closing:
                invocation.give_up()
                continue
            if lane.deadline_at is not None and lane.deadline_at <= now:
                # An empty update: the fence refuses it past the deadline, and the slow path times the execution out.
                lane.close(Entry([], now))
                self._runtime.writer.submit(lane)
            elif invocation.ends_by <= now:
                self._runtime.time_out(invocation)

    def _fire_timers_in_flight(self) -> None:
        """Timers of claimed executions are their own runtime's to fire: a callback's time-out while a step still runs.

        Those of remote functions fire with the empty checkpoint that AWS's SDKs send when one is due.
        """
        now = self._runtime.clock.now()
        for invocation in self._runtime.invocations():
            lane = invocation.lane
            if invocation.is_remote or lane.lost or lane.is_closing or lane.under_way:
                continue
            nearest = lane.nearest_timer()
            if nearest is not None and nearest <= now and lane.fire_due(now) is not None:
                self._runtime.writer.submit(lane)

    def _renew(self, now: float) -> None:
        invocations = self._runtime.invocations()
        held = [(i.claim.execution_id, i.claim.claim_id) for i in invocations if not i.lane.lost]
        self._renew_at = now + self._settings.RENEW_SECONDS
        if not held:
            return
        renewed, gone = claims.renew(self._connected(), held, self._settings.CLAIM_SECONDS)
        for invocation in invocations:
            if invocation.claim.execution_id in gone and not invocation.lane.released:
                invocation.lane.lose()
        if len(renewed) + len(gone) < len(held):
            self._renew_at = now + 1.0

    def _see(self) -> None:
        connection = self._connected()
        runtime = self._runtime
        connection.execute(
            statement("see_worker"),
            {
                "boot_id": runtime.boot_id,
                "host": self._host,
                "pid": os.getpid(),
                "parent_pid": os.getppid(),
                "process_started_at": processes.start_time(os.getpid()) or "?",
                "threads": self._settings.THREADS,
                "in_flight": runtime.in_flight,
                "lost_threads": runtime.lost_threads,
                "is_draining": runtime.is_draining,
                "version_ids": json.dumps(list(runtime.versions)),
            },
        )
        self.is_seen.set()
        self._take_over_from_dead_siblings(connection)
        if runtime.versions:
            mine = [i.claim.claim_id for i in runtime.invocations() if not i.lane.lost]
            taken = claims.take_over(connection, versions=list(runtime.versions), worker=runtime.boot_id, mine=mine)
            if taken:
                logger.warning("took over %d executions whose claims had ended", taken)
                runtime.look.set()
        duties.do_due(connection, blocking=False)

    def _take_over_from_dead_siblings(self, connection: psycopg.Connection[Any]) -> None:
        params = {"host": self._host, "boot_id": self._runtime.boot_id}
        self._siblings = connection.execute(statement("siblings"), params).fetchall()
        for boot_id, pid, started in self._siblings:
            if processes.start_time(pid) == started:
                continue
            taken = claims.take_over(connection, dead=boot_id)
            connection.execute(statement("forget_worker"), {"boot_id": boot_id})
            logger.warning("worker child %d is gone: %d executions in flight there are taken over", pid, taken)
            self._runtime.look.set()
        self._siblings = [s for s in self._siblings if processes.start_time(s[1]) == s[2]]

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connections.connect("keeper", options=f"-c lock_timeout={connections.KEEPER_LOCK_TIMEOUT_MS}")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _forget(self) -> None:
        """A worker that ends in order leaves no row behind."""
        try:
            self._connected().execute(statement("forget_worker"), {"boot_id": self._runtime.boot_id})
        except psycopg.Error as error:
            logger.debug("the worker's row stays until it is found unseen: %s", error)
        self._disconnect()
