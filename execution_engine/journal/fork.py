"""Fork: the journal of an execution, up to a point, becomes the beginning of a new one. The old one is left as it is."""

import json
from dataclasses import dataclass
from uuid import UUID

from execution_engine.core.enums import OperationSubType, OperationType
from execution_engine.core.errors import ExecutionAlreadyStartedError
from execution_engine.core.identifiers import new_execution_id
from execution_engine.core.records import OperationRecord
from execution_engine.core.transitions.redrive import Operations, Plan
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
    """What a fork keeps: what has ended before the failure or the chosen operation, and the contexts around it.

    What is open belongs to the old execution, its callbacks and children too, and begins anew in the fork.
    """
    plan, operations = redrive.make_plan(cursor, execution_id, from_operation)
    reopened = [operations.by_id[one] for one in plan.reopened]
    kept = [operations.by_id[one] for one in plan.kept]
    contexts = {record.id for record in (*reopened, *kept) if record.type is OperationType.CONTEXT and _goes_on(record, reopened)}
    unsent = {one for one in contexts if _begins_anew(operations, one, plan)}
    ended = tuple(record.id for record in kept if record.is_terminal and record.parent_id not in unsent)
    dropped = tuple(one for one in operations.by_id if one not in contexts and one not in ended)
    return Plan(ended, tuple(sorted(contexts)), dropped), operations


def _begins_anew(operations: Operations, context_id: str, plan: Plan) -> bool:
    """A wait for a callback that is open: its submitter has to hand out the fork's own callback id."""
    if operations.by_id[context_id].sub_type != OperationSubType.WAIT_FOR_CALLBACK:
        return False
    return not all(child.is_terminal and child.id in plan.kept for child in operations.children[context_id])


def _goes_on(record: OperationRecord, reopened: list[OperationRecord]) -> bool:
    return record in reopened or not record.is_terminal


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
