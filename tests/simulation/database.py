"""A small PostgreSQL: row versions, snapshots, row locks and READ COMMITTED's recheck after a wait.

Only what the protocol leans on. An execution's row is locked explicitly; operation and signal rows are written under its lock.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any
from uuid import UUID

from execution_engine.core.records import HistoryEvent
from tests.simulation.scheduler import Gate, Scheduler, Steps

Key = tuple[str, int, str]
"""Table ("execution", "operation", "signal"), number of the execution, id within it."""

Fits = Callable[[Any], bool]
"""The condition of a locking statement, judged on one version of a row."""


class Mode(Enum):
    """`FOR KEY SHARE` lets an update of non-key columns through; `FOR NO KEY UPDATE` and UPDATE do not."""

    KEY_SHARE = 1
    NO_KEY_UPDATE = 2


def execution_key(number: int) -> Key:
    return ("execution", number, "")


class Database:
    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.commits = 0
        self.history: dict[int, list[HistoryEvent]] = defaultdict(list)
        self.on_commit: list[Callable[[Transaction], None]] = []
        self.versions: dict[Key, list[tuple[int, Any]]] = defaultdict(list)
        self.keys: dict[tuple[str, int], list[Key]] = defaultdict(list)
        self.locks: dict[Key, list[tuple[Transaction, Mode]]] = defaultdict(list)
        self.released: dict[Key, Gate] = {}

    def latest(self, key: Key) -> Any:
        versions = self.versions.get(key)
        return versions[-1][1] if versions else None

    def at(self, key: Key, snapshot: int) -> Any:
        for commit, value in reversed(self.versions.get(key, ())):
            if commit <= snapshot:
                return value
        return None

    def is_locked_against(self, transaction: "Transaction", key: Key, mode: Mode) -> bool:
        """Only two `NO_KEY_UPDATE` exclude each other."""
        return mode is Mode.NO_KEY_UPDATE and any(
            holder is not transaction and held is Mode.NO_KEY_UPDATE for holder, held in self.locks[key]
        )


class Transaction:
    """Used as a context manager: left without `commit`, also by a crash, it is rolled back.

    For the auditor, `claims` names the claims under which it writes, `repairs` the executions that it redrives or
    forks.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.claims: dict[int, UUID] = {}
        self.repairs: set[int] = set()
        self.writes: dict[Key, Any] = {}
        self.events: list[tuple[int, int, HistoryEvent]] = []
        self._locked: list[Key] = []

    def __enter__(self) -> "Transaction":
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def snapshot(self) -> int:
        """What a statement sees: everything committed when it begins, and this transaction's own writes."""
        return self.database.commits

    def read(self, key: Key, snapshot: int) -> Any:
        return self.writes[key] if key in self.writes else self.database.at(key, snapshot)

    def rows(self, table: str, execution: int, snapshot: int) -> Iterator[tuple[Key, Any]]:
        for key in self.database.keys[table, execution]:
            row = self.read(key, snapshot)
            if row is not None:
                yield key, row

    def lock(
        self,
        key: Key,
        fits: Fits,
        *,
        snapshot: int,
        skip: bool = False,
        mode: Mode = Mode.NO_KEY_UPDATE,
    ) -> Steps:
        """One row of a locking statement: found by the snapshot, waited for or skipped, then its newest version is judged again.

        Returns that newest version, or None when the row is passed over.
        """
        found = self.read(key, snapshot)
        if found is None or not fits(found):
            return None
        while self.database.is_locked_against(self, key, mode):
            if skip:
                return None
            yield self.database.released.setdefault(key, Gate())
        self.database.locks[key].append((self, mode))
        self._locked.append(key)
        newest = self.writes.get(key) or self.database.latest(key)
        return newest if newest is not None and fits(newest) else None

    def write(self, key: Key, row: Any) -> None:
        self.writes[key] = row

    def append(self, execution: int, event_id: int, event: HistoryEvent) -> None:
        self.events.append((execution, event_id, event))

    def commit(self) -> None:
        database = self.database
        database.commits += 1
        for hook in database.on_commit:
            hook(self)
        for key, row in self.writes.items():
            if key not in database.versions:
                database.keys[key[0], key[1]].append(key)
            database.versions[key].append((database.commits, row))
        for execution, _, event in self.events:
            database.history[execution].append(event)
        self._release()

    def _release(self) -> None:
        for key in self._locked:
            self.database.locks[key] = [held for held in self.database.locks[key] if held[0] is not self]
            gate = self.database.released.pop(key, None)
            if gate is not None:
                self.database.scheduler.open(gate)
        self._locked = []
