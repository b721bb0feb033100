"""What a worker remembers of executions that it suspended, so that a resume reads only what changed since.

A memory is exactly what the rows held when the claim was given back, and the next claim in this process uses it. It is valid as long as
`checkpoint_seq` has not moved (nobody wrote under a claim) and the execution was neither redriven, which removes operations, nor moved to
other code. What outsiders and time changed since has a higher `wake_seq` and is read.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from execution_engine.core.records import OperationRecord
from execution_engine.journal.claims import Claim
from execution_engine.journal.lane import Lane

RECORD_BYTES = 900
"""What one operation takes in memory beside its payload, measured."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`wake_seq` says up to which change from outside or by time `operations` are complete."""

    version_id: int
    redrive_count: int
    checkpoint_seq: int
    wake_seq: int
    operations: dict[str, OperationRecord]
    size: int


class WarmHistories:
    """At most `limit` executions and about `max_bytes`; those suspended longest ago are dropped first. Thread-safe."""

    def __init__(self, limit: int, max_bytes: int) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._memories: OrderedDict[UUID, Memory] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._memories)

    @property
    def size(self) -> int:
        """Bytes, as estimated."""
        return self._bytes

    def keep(self, claim: Claim, lane: Lane) -> None:
        """After an invocation: remembers the lane if its suspension is known to be written. The lane must not be used any more."""
        if lane.known_wake_seq is None or lane.lost or not lane.operations:
            return
        size = sum(RECORD_BYTES + len(record.payload or "") for record in lane.operations.values())
        if size > self._max_bytes or self._limit < 1:
            return
        memory = Memory(claim.version_id, claim.redrive_count, lane.checkpoint_seq, lane.known_wake_seq, lane.operations, size)
        with self._lock:
            self._forget(claim.execution_id)
            self._memories[claim.execution_id] = memory
            self._bytes += size
            while self._bytes > self._max_bytes or len(self._memories) > self._limit:
                self._forget(next(iter(self._memories)))

    def take(self, claim: Claim) -> Memory | None:
        """What is remembered of a claimed execution, if it still holds; it is forgotten here either way."""
        with self._lock:
            memory = self._forget(claim.execution_id)
        if memory is None or memory.checkpoint_seq != claim.checkpoint_seq:
            return None
        if memory.redrive_count != claim.redrive_count or memory.version_id != claim.version_id:
            return None
        return memory

    def _forget(self, execution_id: UUID) -> Memory | None:
        memory = self._memories.pop(execution_id, None)
        if memory is not None:
            self._bytes -= memory.size
        return memory
