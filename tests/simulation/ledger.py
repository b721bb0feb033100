"""What really happened outside the database: bodies begun, answers given. It survives every crash."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from tests.simulation.database import Database, execution_key
from tests.simulation.outsiders import Answer

if TYPE_CHECKING:
    from tests.simulation.session import Session


class BrokenInvariantError(AssertionError):
    """The first promise that did not hold, with its name in the reliability note."""


@dataclass(frozen=True)
class Told:
    """What a caller was told, and after how many redrives of the execution."""

    execution: int
    command: str
    answer: Answer
    payload: str | None
    redrives: int


@dataclass
class Ledger:
    """Judges S2 (no re-run) as bodies begin, and keeps callers' answers for S5 (told truth)."""

    database: Database
    invocations: Counter[int] = field(default_factory=Counter)
    bodies: Counter[tuple[int, int, str, int]] = field(default_factory=Counter)
    stale_bodies: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    answers: list[Told] = field(default_factory=list)

    def begin_invocation(self, execution: int) -> int:
        self.invocations[execution] += 1
        return self.invocations[execution]

    def begin_body(self, session: "Session", operation_id: str, attempt: int, *, at_most_once: bool) -> None:
        body = (session.number, session.redrives, operation_id, attempt)
        self.bodies[body] += 1
        if at_most_once and self.bodies[body] > 1:
            raise BrokenInvariantError(f"S2: at-most-once attempt {attempt} of {operation_id} began twice")
        row = self.database.latest(execution_key(session.number))
        if row is None:
            return
        if row.status is ExecutionStatus.PAUSED and row.claim_id == session.claim_id:
            raise BrokenInvariantError(f"L4: {operation_id} began in a paused execution")
        recorded = self.database.latest(("operation", session.number, operation_id))
        if recorded is None or recorded.status is not OperationStatus.SUCCEEDED:
            return
        if row.claim_id == session.claim_id:
            raise BrokenInvariantError(f"S2: {operation_id} began again after its end was recorded")
        thread = session.claim_id, operation_id if "." in operation_id else ""  # each branch may be entering one
        self.stale_bodies[thread] += 1
        if self.stale_bodies[thread] > 1:
            raise BrokenInvariantError(f"S2: a lost claim began a second body, {operation_id}")

    def told(self, execution: int, command: str, answer: Answer, payload: str | None = None) -> None:
        """`command`: the id of the callback that was answered, or `stop`."""
        row = self.database.latest(execution_key(execution))
        self.answers.append(Told(execution, command, answer, payload, 0 if row is None else row.redrive_count))
