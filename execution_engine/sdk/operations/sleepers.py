"""The branches of a batch that wait: when to look at them again, and whether what they wait for is over."""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta

from execution_engine.core.enums import OperationStatus
from execution_engine.core.records import OperationRecord
from execution_engine.sdk.key import OperationKey
from execution_engine.sdk.operations.branch import Branch, State
from execution_engine.sdk.sink import Sink
from execution_engine.sdk.suspend import SuspendExecution, suspension

# How soon to look again at a timer that the journal's clock does not hold for due yet.
LOOK_AGAIN = timedelta(milliseconds=50)


class Sleepers:
    """Used under the coordinator's lock. The journal decides what is due; this only knows when to ask."""

    def __init__(self, sink: Sink, branches: Sequence[Branch]) -> None:
        self._sink = sink
        self._branches = branches
        self._timers: list[tuple[datetime, int]] = []

    def add(self, branch: Branch) -> None:
        due = [record.due_at for record in self._awaited(branch) if record.due_at is not None]
        if due:
            heapq.heappush(self._timers, (min(due), branch.index))

    def seconds_left(self) -> float | None:
        """Until the next timer, None when there is none."""
        if not self._timers:
            return None
        return max(0.0, (self._timers[0][0] - self._sink.now()).total_seconds())

    def awake(self) -> list[Branch]:
        """The branches, by index, that can go on now. Asks the journal to fire timers that seem due."""
        now = self._sink.now()
        looked: list[int] = []
        while self._timers and self._timers[0][0] <= now:
            looked.append(heapq.heappop(self._timers)[1])
        if looked:
            self._sink.refresh()
        found = [branch for branch in self._branches if branch.state is State.SUSPENDED and self._is_awake(branch)]
        rising = {branch.index for branch in found}
        for index in looked:
            if index not in rising and self._branches[index].state is State.SUSPENDED:
                heapq.heappush(self._timers, (now + LOOK_AGAIN, index))
        return found

    def suspension(self, key: OperationKey) -> SuspendExecution:
        """What to raise when nothing runs: with the earliest time at which a branch may go on."""
        waiting = [branch for branch in self._branches if branch.state is State.SUSPENDED]
        due = [record.due_at for branch in waiting for record in self._awaited(branch) if record.due_at is not None]
        awaited = frozenset[str]().union(*(branch.awaited for branch in waiting))
        return suspension(f"{len(waiting)} branches of {key} wait", min(due, default=None), awaited)

    def _is_awake(self, branch: Branch) -> bool:
        return any(record.is_terminal or record.status is OperationStatus.READY for record in self._awaited(branch))

    def _awaited(self, branch: Branch) -> list[OperationRecord]:
        operations = self._sink.operations
        return [record for id_ in branch.awaited if (record := operations.get(id_)) is not None]
