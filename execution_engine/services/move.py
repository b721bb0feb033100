"""Move an open execution to another version of its function, after a rehearsal."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from execution_engine.core.errors import ExecutionChangedError, ExecutionDivergesError, ExecutionEndedError, InvalidInputError
from execution_engine.core.transitions import moving
from execution_engine.invocation.rehearsal import stored
from execution_engine.invocation.rehearsal.findings import Rehearsal
from execution_engine.invocation.rehearsal.rehearse import rehearse
from execution_engine.invocation.rehearsal.stored import Stored
from execution_engine.journal import functions, store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked
from execution_engine.sdk.registry import find_function
from execution_engine.services import checks

TRIES = 3
"""How often an execution that goes on meanwhile is rehearsed anew."""
NAMED = 20
"""Divergences that a refusal lists."""


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What the code of the other version would do with this history."""

    from_version: str
    to_version: str
    rehearsal: Rehearsal


def plan_move(execution_id: UUID, version: str) -> MovePlan:
    """Changes nothing. Raises `ExecutionNotFoundError`, `ExecutionEndedError`, `FunctionNotFoundError` (version)."""
    return _plan(execution_id, version)[0]


def move_execution(execution_id: UUID, version: str, *, reason: str = "", force: bool = False) -> MovePlan:
    """Pins the execution to `version`, due at once; answers what was rehearsed.

    Whoever runs it loses the claim, and a step under way may be done again. Unless it fits, the move is refused without `force`,
    which needs a reason. Raises `ExecutionNotFoundError`, `ExecutionEndedError`, `FunctionNotFoundError` (version),
    `InvalidInputError` (the same version, no reason), `ExecutionDivergesError`, `ExecutionChangedError`.
    """
    checks.check_text(reason, "reason")
    if force and not reason.strip():
        raise InvalidInputError("a move that does not fit needs a reason", field="reason")
    for _ in range(TRIES):
        plan, seen = _plan(execution_id, version)
        if plan.from_version == version:
            raise InvalidInputError(f"the execution runs with version {version} already", field="version", value=version)
        if not plan.rehearsal.verdict.is_safe and not force:
            raise _refusal(plan)
        with transaction.atomic(), connection.cursor() as cursor:
            locked = store.lock(cursor, execution_id)
            record = locked.record
            if (record.event_seq, record.checkpoint_seq, record.wake_seq) == seen.sequences:
                _write(cursor, locked, plan, reason)
                break
    else:
        raise ExecutionChangedError("the execution goes on all the time; pause it first", execution_id=str(execution_id))
    ring_after_commit()
    return plan


def _plan(execution_id: UUID, version: str) -> tuple[MovePlan, Stored]:
    seen = stored.read(execution_id)
    status = seen.history.status
    if status.is_terminal:
        raise ExecutionEndedError(f"the execution is {status}", execution_id=str(execution_id), execution_status=str(status))
    with connection.cursor() as cursor:
        functions.find_version(cursor, seen.history.function, version)
    rehearsal = rehearse(find_function(seen.history.function, version), seen.history)
    return MovePlan(str(seen.history.version), version, rehearsal), seen


def _refusal(plan: MovePlan) -> ExecutionDivergesError:
    """Without messages of errors, which may quote payloads: the plan has them for whoever may read them."""
    found = plan.rehearsal.without_messages()
    return ExecutionDivergesError(
        f"version {plan.to_version} does not fit what is recorded: {found.summary}",
        verdict=str(found.verdict),
        diverging=[str(one) for one in found.divergences[:NAMED]],
    )


def _write(cursor: Cursor, locked: Locked, plan: MovePlan, reason: str) -> None:
    record = locked.record
    row = functions.find_version(cursor, record.function, plan.to_version)
    details: dict[str, Any] = {"FromVersion": plan.from_version, "ToVersion": plan.to_version, "Verdict": str(plan.rehearsal.verdict)}
    if reason:
        details["Reason"] = reason
    moved = moving.move(record, plan.to_version, locked.now, locked.invocation_id, details)
    store.write_transition(cursor, locked, moved)
    cursor.execute(statement("move_to_version"), {"id": record.id, "version_id": row.id, "version": row.version})
