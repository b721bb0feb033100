"""A recorded execution as a value: what a replay needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.records import ErrorObject, OperationRecord


@dataclass(frozen=True, slots=True)
class History:
    """`operations` are in order of their starts; input, `result` and payloads are exact serialized texts.

    `seed` is what `uuid()` and `random()` derive from where it is not the id.
    """

    arn: str
    id: UUID
    function: str
    started_at: datetime
    status: ExecutionStatus
    operations: Sequence[OperationRecord]
    input: str | None = None
    result: str | None = None
    error: ErrorObject | None = None
    seed: UUID | None = None
    version: str | None = None

    @property
    def latest_at(self) -> datetime:
        """The last moment that it tells of."""
        times = (moment for o in self.operations for moment in (o.started_at, o.ended_at) if moment is not None)
        return max(times, default=self.started_at)
