"""Redrive under the execution's lock; a parent's redrive reaches its children in transactions of their own."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.enums import EventType, ExecutionStatus, OperationType
from execution_engine.core.errors import ExecutionNotEndedError, ExecutionNotFoundError
from execution_engine.core.records import HistoryEvent, OperationRecord, Transition
from execution_engine.core.transitions import redrive
from execution_engine.core.transitions.redrive import Operations, Plan
from execution_engine.journal import store
from execution_engine.journal.rows import error_from_text, event_params, operation_from_row, operation_params
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

logger = logging.getLogger(__name__)
NAMED_IN_EVENT = 100
"""Operation ids that ExecutionRedriven lists; the operations' own events tell the rest."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a redrive is to do. `result` takes the place of what `from_operation` had, if `replaces_result`."""

    reason: str = ""
    from_operation: str | None = None
    replaces_result: bool = False
    result: str | None = None
    input: str | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    plan: Plan
    redrive_count: int


def make_plan(cursor: Cursor, execution_id: UUID, from_operation: str | None) -> tuple[Plan, Operations]:
    """What a redrive would do. Raises `InvalidInputError` for an unknown operation."""
    cursor.execute(statement("all_operations"), {"execution_id": execution_id})
    operations = Operations(operation_from_row(row) for row in cursor.fetchall())
    if from_operation is not None:
        return redrive.plan_from_operation(operations, from_operation), operations
    cursor.execute(statement("read_ended"), {"id": execution_id})
    _, error, _, _ = cursor.fetchone()
    return redrive.plan_from_failure(operations, error_from_text(error)), operations


def refuse_open(locked: Locked) -> None:
    status = locked.record.status
    if not status.is_terminal:
        raise ExecutionNotEndedError(f"the execution is {status}", execution_id=str(locked.record.id), execution_status=str(status))


def execute(cursor: Cursor, locked: Locked, asked: Asked) -> Redriven:
    """Needs the lock of an ended execution. Everything in one transaction; the caller rings afterwards."""
    refuse_open(locked)
    execution_id = locked.record.id
    plan, operations = make_plan(cursor, execution_id, asked.from_operation)
    chosen = operations.by_id[asked.from_operation] if asked.from_operation and asked.replaces_result else None
    if chosen is not None:
        plan = replace(plan, removed=tuple(one for one in plan.removed if one != chosen.id))
    plan = _without_lost_children(cursor, plan, operations)
    touched = [*plan.reopened, *plan.removed, *([chosen.id] if chosen else [])]
    cursor.execute(statement("keep_in_history"), {"execution_id": execution_id, "ids": touched})
    cursor.execute(statement("keep_end_in_history"), {"execution_id": execution_id})
    cursor.execute(statement("remove_operations"), {"execution_id": execution_id, "ids": list(plan.removed)})
    wake_seq = locked.record.wake_seq + 1
    moves = _moves(cursor, locked, plan, operations)
    if chosen is not None:
        moves.append(Transition(redrive.succeed_by_hand(chosen, asked.result, locked.now)))
    for move in moves:
        cursor.execute(statement("reopen_operation"), operation_params(execution_id, replace(move.record, wake_seq=wake_seq)))
    events = [_event(plan, asked, chosen), *(event for move in moves for event in move.events)]
    return Redriven(plan, _reopen_execution(cursor, locked, events, asked, wake_seq, moves, chosen))


def _without_lost_children(cursor: Cursor, plan: Plan, operations: Operations) -> Plan:
    """A child that was deleted or purged cannot be redriven: its operation is removed, so that a new one is started."""
    asked = {one: operations.by_id[one].options.child_id for one in plan.reopened}
    children = {one: child for one, child in asked.items() if operations.by_id[one].type is OperationType.CHAINED_INVOKE}
    cursor.execute(statement("child_redrives"), {"ids": [child for child in children.values() if child]})
    alive = {str(row[0]) for row in cursor.fetchall()}
    lost = [one for one, child in children.items() if child not in alive]
    return replace(plan, reopened=tuple(one for one in plan.reopened if one not in lost), removed=(*plan.removed, *lost))


def _moves(cursor: Cursor, locked: Locked, plan: Plan, operations: Operations) -> list[Transition]:
    records = [operations.by_id[one] for one in plan.reopened]
    children = [record.options.child_id for record in records if record.type is OperationType.CHAINED_INVOKE]
    cursor.execute(statement("child_redrives"), {"ids": [one for one in children if one]})
    counts: Mapping[str, int] = {str(row[0]): row[1] for row in cursor.fetchall()}
    moves = [redrive.reopen(record, locked.now, child_redrives=counts.get(record.options.child_id or "", 0)) for record in records]
    return [*moves, *(Transition(redrive.rearm(operations.by_id[one], locked.now)) for one in plan.rearmed)]


def _event(plan: Plan, asked: Asked, chosen: OperationRecord | None) -> HistoryEvent:
    """Both values of what was replaced stay readable: the old one in this event, the new one where it counts."""
    details: dict[str, Any] = {"ReopenedOperations": list(plan.reopened[:NAMED_IN_EVENT]), "RemovedOperations": len(plan.removed)}
    if asked.reason:
        details["Reason"] = asked.reason
    if asked.from_operation:
        details["FromOperation"] = asked.from_operation
    if chosen is not None:
        details["ReplacedResultOf"] = chosen.id
    return HistoryEvent(EventType.EXECUTION_REDRIVEN, None, details)


def _reopen_execution(
    cursor: Cursor,
    locked: Locked,
    events: list[HistoryEvent],
    asked: Asked,
    wake_seq: int,
    moves: list[Transition],
    chosen: OperationRecord | None,
) -> int:
    record, at = locked.record, max(locked.now, locked.last_event_at)
    cursor.execute(statement("read_ended"), {"id": record.id})
    _, _, old_input, count = cursor.fetchone()
    previous = {"Result": chosen.payload} if chosen is not None else {}
    if asked.input is not None:
        previous["Input"] = old_input
    kept = json.dumps(previous) if previous else None
    events[0] = replace(events[0], details={"RedriveCount": count + 1, **events[0].details}, payload=kept)
    for number, event in enumerate(events, start=record.event_seq + 1):
        cursor.execute(statement("write_events"), event_params(record.id, number, event, at))
    owes_child = any(move.record.type is OperationType.CHAINED_INVOKE for move in moves)
    values = {
        "id": record.id, "now": at, "wake_seq": wake_seq, "event_seq": record.event_seq + len(events), "owes_child": owes_child,
        "input": asked.input,
    }  # fmt: skip
    cursor.execute(statement("reopen_execution"), values)
    redriven: int = cursor.fetchone()[0]
    return redriven


def look(connection: psycopg.Connection[Any], limit: int = 100) -> None:
    """A duty: redrives the children of redriven parents, each under its own lock. A crash between two is made up next time."""
    for (parent_id,) in connection.execute(statement("parents_owing"), {"limit": limit}).fetchall():
        found = connection.execute(statement("children_to_redrive"), {"id": parent_id}).fetchall()
        for child_id, status, count, wanted in found:
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    _redrive_child(cursor, child_id, status, count, wanted)
            except (ExecutionNotFoundError, ExecutionNotEndedError):
                logger.info("child %s goes on by itself", child_id)
        connection.execute(statement("clear_owes_child"), {"id": parent_id})


def _redrive_child(cursor: Cursor, child_id: UUID, status: str, count: int, wanted: int) -> None:
    if status != ExecutionStatus.SUCCEEDED and count < wanted:
        execute(cursor, store.lock(cursor, child_id), Asked(reason="its parent was redriven"))
    else:
        cursor.execute(statement("tell_parent_again"), {"id": child_id, "redrives": wanted})
