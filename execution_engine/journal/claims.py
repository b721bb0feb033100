"""Claims: taking what is due, keeping it, and taking over what a dead worker held."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.trace import Trace
from execution_engine.core.transitions.execution import EXIT_ERROR
from execution_engine.journal.rows import error_text
from execution_engine.journal.statements import statement

TAKEOVER_GRACE_SECONDS = 30
"""A claim that ended is left for this much longer if its worker was seen lately: the worker may only have lost its connection."""

SEEN_LATELY_SECONDS = 15

HELD_LOOK_SECONDS = 0.05
"""How soon to look again when limits hold back all that is due. The end of a limited execution in this process makes a look sooner."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed execution, as the claim statement returns it. Times are the database's, UTC."""

    execution_id: UUID
    version_id: int
    name: str
    started_at: datetime
    deadline_at: datetime | None
    claim_id: UUID
    invocation_id: UUID
    invocation_started_at: datetime
    invocations: int
    failed_invocations: int
    event_seq: int
    checkpoint_seq: int
    wake_seq: int
    told_seq: int
    tenant_id: str | None
    runs_alone: bool
    has_parent: bool
    input: str | None
    now: datetime
    seed: UUID | None = None
    redrive_count: int = 0
    traceparent: str | None = None
    correlation_id: str | None = None
    client_context: str | None = None
    is_limited: bool = False

    @property
    def trace(self) -> Trace:
        return Trace(self.traceparent, self.correlation_id)

    @property
    def has_operations(self) -> bool:
        """The first event is ExecutionStarted: without a second there is nothing to load."""
        return self.event_seq > 1


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who claims, for which versions, how many executions at most, and for how many seconds.

    `suspects`: those that were in flight when a worker child died, and no others; without it all others. `alone` records that the child
    has nothing else in flight, so that a death of it counts against the execution.
    """

    versions: Sequence[int]
    worker: UUID
    limit: int
    claim_seconds: int
    suspects: bool = False
    alone: bool = False
    now: datetime | None = None


def claim(connection: psycopg.Connection[Any], claimer: Claimer) -> list[Claim]:
    """Claims due executions, oldest first per version. One statement.

    Functions with limits are passed over: `journal/limited.py` claims them.
    """
    text = f"{statement('claim_suspects' if claimer.suspects else 'claim_executions')} {statement('claim_found')}"
    params = asdict(claimer) | {"versions": list(claimer.versions)}
    return [Claim(*row) for row in connection.execute(text, params, binary=True)]


def has_suspects(connection: psycopg.Connection[Any], versions: Sequence[int]) -> bool:
    """Whether an execution of these versions was under way when its worker died and is due again."""
    row = connection.execute(statement("has_suspects"), {"versions": list(versions)}).fetchone()
    return bool(row and row[0])


@dataclass(frozen=True, slots=True)
class Outlook:
    """In how many seconds the next execution is due (None: none is), whether suspects wait, and whether any function has limits."""

    due: float | None = None
    has_suspects: bool = False
    has_limits: bool = False


def outlook(connection: psycopg.Connection[Any], versions: Sequence[int]) -> Outlook:
    """For a worker that serves these versions. One statement."""
    params = {"versions": list(versions), "held_seconds": HELD_LOOK_SECONDS, "now": None}
    row = connection.execute(statement("outlook"), params, binary=True).fetchone()
    return Outlook(*row) if row else Outlook()


def take_over(
    connection: psycopg.Connection[Any],
    *,
    versions: Sequence[int] = (),
    worker: UUID | None = None,
    mine: Sequence[UUID] = (),
    dead: UUID | None = None,
    are_suspects: bool = True,
    now: datetime | None = None,
) -> int:
    """Makes claims due again that ended, or all claims of worker `dead`; returns how many.

    `mine` are the claim ids in flight in the calling `worker`, which may still renew them. With `are_suspects=False` a worker hands back
    its own claims: nothing died, so no execution becomes a suspect.
    """
    params = {
        "versions": list(versions),
        "worker": worker,
        "mine": list(mine),
        "dead": dead,
        "are_suspects": are_suspects,
        "grace_seconds": TAKEOVER_GRACE_SECONDS,
        "seen_seconds": SEEN_LATELY_SECONDS,
        "error": error_text(EXIT_ERROR) if are_suspects else None,
        "now": now,
    }
    return len(connection.execute(statement("take_over"), params).fetchall())


def renew(connection: psycopg.Connection[Any], claims: Sequence[tuple[UUID, UUID]], claim_seconds: int) -> tuple[set[UUID], set[UUID]]:
    """Renews (execution id, claim id) pairs. Returns the renewed ones, and those of the others whose claim is gone."""
    params = {"ids": [c[0] for c in claims], "claims": [c[1] for c in claims]}
    rows = connection.execute(statement("renew_claims"), {**params, "claim_seconds": claim_seconds, "now": None}).fetchall()
    renewed = {row[0] for row in rows}
    if len(renewed) == len(claims):
        return renewed, set()
    held = {row[0] for row in connection.execute(statement("held_claims"), params)}
    return renewed, {c[0] for c in claims} - held - renewed
