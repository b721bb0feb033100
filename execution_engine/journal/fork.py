"""Fork: the journal of an execution, up to a point, becomes the beginning of a new one. The old one is left as it is."""

import json
from dataclasses import dataclass
from uuid import UUID

from execution_engine.core.errors import ExecutionAlreadyStartedError
from execution_engine.core.identifiers import new_execution_id
from execution_engine.core.transitions.redrive import Operations, Plan, plan_fork
from execution_engine.journal import redrive
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked


@dataclass(frozen=True, slots=True)
class Forked:
    id: UUID
    name: str
    version: str
    kept: int


def make_plan(cursor: Cursor, execution_id: UUID, from_operation: str | None) -> tuple[Plan, Operations]:
    """What a fork keeps, see `plan_fork`. Raises `InvalidInputError` for an unknown operation."""
    plan, operations = redrive.make_plan(cursor, execution_id, from_operation)
    return plan_fork(operations, plan), operations


def execute(
    cursor: Cursor,
    locked: Locked,
    *,
    from_operation: str | None,
    name: str | None,
    version: str | None,
    input_text: str | None,
    started_by: str,
) -> Forked:
    """Under the old execution's lock, which keeps its journal still. Raises `ExecutionAlreadyStartedError` for a taken name."""
    old_id, new_id = locked.record.id, new_execution_id()
    plan, _ = make_plan(cursor, old_id, from_operation)
    chosen = name or str(new_id)
    params = {
        "id": old_id, "new_id": new_id, "name": chosen, "now": locked.now, "version": version, "input": input_text,
        "started_by": started_by, "kept": list(plan.kept), "reopened": list(plan.reopened), "base": 1,
        "details": json.dumps({"ForkedFrom": str(old_id), **({"FromOperation": from_operation} if from_operation else {})}),
    }  # fmt: skip
    cursor.execute(statement("fork_execution"), params)
    row = cursor.fetchone()
    if row is None:
        raise ExecutionAlreadyStartedError(f"the name {chosen} is taken", name=chosen)
    for step in ("fork_started", "fork_operations", "fork_events", "fork_numbers"):
        cursor.execute(statement(step), params)
    return Forked(new_id, chosen, row[0], len(plan.kept))
