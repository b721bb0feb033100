"""Redrive under the execution's lock; a parent's redrive reaches its children in transactions of their own."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.records import ErrorObject, HistoryEvent, Transition
from execution_engine.core.transitions import chained_invoke, redrive, reopening
from execution_engine.core.transitions.execution import refuse_open
from execution_engine.core.transitions.redrive import Operations, Plan
from execution_engine.core.transitions.reopening import Asked
from execution_engine.journal import store
from execution_engine.journal.connections import TURN_SECONDS
from execution_engine.journal.rows import error_from_text, event_params, operation_from_row, operation_params
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor, Locked

GONE_ERROR = ErrorObject(message="The invoked execution no longer exists", type="ChainedInvoke.Gone")


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
    status, error, _, _ = cursor.fetchone()
    return redrive.plan_from_failure(operations, ExecutionStatus(status), error_from_text(error)), operations


def execute(cursor: Cursor, locked: Locked, asked: Asked) -> Redriven:
    """Needs the lock of an ended execution. Everything in one transaction; the caller rings afterwards."""
    refuse_open(locked.record)
    execution_id = locked.record.id
    plan, operations = make_plan(cursor, execution_id, asked.from_operation)
    chosen = operations.by_id[asked.from_operation] if asked.from_operation and asked.replaces_result else None
    if chosen is not None:
        plan = replace(plan, removed=tuple(one for one in plan.removed if one != chosen.id))
    plan = _without_lost_children(cursor, execution_id, plan, operations)
    touched = [*plan.reopened, *plan.removed, *([chosen.id] if chosen else [])]
    cursor.execute(statement("keep_in_history"), {"execution_id": execution_id, "ids": touched})
    cursor.execute(statement("keep_end_in_history"), {"execution_id": execution_id})
    if asked.input is not None:
        cursor.execute(statement("keep_input_in_history"), {"execution_id": execution_id})
    cursor.execute(statement("remove_operations"), {"execution_id": execution_id, "ids": list(plan.removed)})
    wake_seq = locked.record.wake_seq + 1
    moves = _moves(cursor, locked, plan, operations)
    if chosen is not None:
        moves.append(Transition(reopening.succeed_by_hand(chosen, asked.result, locked.now)))
    for move in moves:
        cursor.execute(statement("reopen_operation"), operation_params(execution_id, replace(move.record, wake_seq=wake_seq)))
    cursor.execute(statement("read_ended"), {"id": execution_id})
    _, _, old_input, count = cursor.fetchone()
    events = [reopening.redriven_event(plan, asked, chosen, old_input, count + 1), *(event for move in moves for event in move.events)]
    owes_child = bool(operations.open_invokes(plan))
    return Redriven(plan, _reopen_execution(cursor, locked, events, asked.input, wake_seq, owes_child))


def _without_lost_children(cursor: Cursor, execution_id: UUID, plan: Plan, operations: Operations) -> Plan:
    """A child that was deleted, purged or belongs to what this was forked from: its operation is removed, so that one is started."""
    children = {one: operations.by_id[one].options.child_id for one in operations.open_invokes(plan)}
    alive = _child_redrives(cursor, execution_id, children.values())
    lost = {one for one, child in children.items() if child not in alive}
    kept, reopened = (tuple(one for one in group if one not in lost) for group in (plan.kept, plan.reopened))
    return replace(plan, kept=kept, reopened=reopened, removed=(*plan.removed, *sorted(lost)))


def _moves(cursor: Cursor, locked: Locked, plan: Plan, operations: Operations) -> list[Transition]:
    records = [operations.by_id[one] for one in plan.reopened]
    children = [record.options.child_id for record in records if record.type is OperationType.CHAINED_INVOKE]
    counts = _child_redrives(cursor, locked.record.id, children)
    moves = [reopening.reopen(record, locked.now, child_redrives=counts.get(record.options.child_id, 0)) for record in records]
    return [*moves, *(Transition(reopening.rearm(operations.by_id[one], locked.now)) for one in plan.rearmed)]


def _child_redrives(cursor: Cursor, execution_id: UUID, children: Iterable[str | None]) -> Mapping[str | None, int]:
    """By the id of each child that still exists."""
    cursor.execute(statement("child_redrives"), {"ids": [one for one in children if one], "parent_id": execution_id})
    return {str(row[0]): row[1] for row in cursor.fetchall()}


def _reopen_execution(
    cursor: Cursor, locked: Locked, events: list[HistoryEvent], input_text: str | None, wake_seq: int, owes_child: bool
) -> int:
    record, at = locked.record, max(locked.now, locked.last_event_at)
    for number, event in enumerate(events, start=record.event_seq + 1):
        cursor.execute(statement("write_events"), event_params(record.id, number, event, at))
    values = {
        "id": record.id, "now": at, "wake_seq": wake_seq, "event_seq": record.event_seq + len(events), "owes_child": owes_child,
        "input": input_text,
    }  # fmt: skip
    cursor.execute(statement("reopen_execution"), values)
    redriven: int = cursor.fetchone()[0]
    return redriven


def look(connection: psycopg.Connection[Any], limit: int = 100) -> None:
    """A duty: redrives the children of redriven parents, each under its own lock. What a crash or the end of the turn leaves is done next
    time."""
    ends = time.monotonic() + TURN_SECONDS
    for parent_id, redrives in connection.execute(statement("parents_owing"), {"limit": limit}).fetchall():
        try:
            for operation_id, child_id, wanted in connection.execute(statement("children_to_redrive"), {"id": parent_id}).fetchall():
                if time.monotonic() > ends:
                    return
                with connection.transaction(), connection.cursor() as cursor:
                    if child_id is None:
                        _give_up_child(cursor, parent_id, operation_id)
                    else:
                        _redrive_child(cursor, child_id, wanted)
        except (ExecutionNotFoundError, psycopg.errors.LockNotAvailable):
            continue  # gone, or held by somebody else, meanwhile: the next look sees what there is
        connection.execute(statement("clear_owes_child"), {"id": parent_id, "redrives": redrives})


def _redrive_child(cursor: Cursor, child_id: UUID, wanted: int) -> None:
    """Under the child's lock alone. One that goes on by itself answers at its end."""
    locked = store.lock(cursor, child_id)
    cursor.execute(statement("read_ended"), {"id": child_id})
    _, _, _, count = cursor.fetchone()
    if not locked.record.status.is_terminal:
        return
    if locked.record.status is not ExecutionStatus.SUCCEEDED and count < wanted:
        execute(cursor, locked, Asked(reason="its parent was redriven"))
    else:
        cursor.execute(statement("tell_parent_again"), {"id": child_id, "redrives": wanted})


def _give_up_child(cursor: Cursor, parent_id: UUID, operation_id: str) -> None:
    """Its child was removed while the parent was being redriven: nobody would ever answer."""
    locked = store.lock(cursor, parent_id)
    operation = store.read_operations(cursor, parent_id, [operation_id]).get(operation_id)
    if operation is None or locked.record.status.is_terminal:
        return
    move = chained_invoke.complete(operation, OperationStatus.FAILED, locked.now, error=GONE_ERROR)
    if move is not None:
        after = store.wake(locked.record, locked.now)
        store.write(cursor, locked, after, move.events, {operation_id: replace(move.record, wake_seq=after.wake_seq)})
