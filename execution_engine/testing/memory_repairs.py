"""Redrive and fork in memory, by the plans and moves of the services."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.core.records import OperationRecord
from execution_engine.core.transitions import redrive, reopening
from execution_engine.core.transitions.redrive import Operations, Plan
from execution_engine.core.transitions.reopening import Asked
from execution_engine.testing.memory_store import StoredExecution

CountOf = Callable[[str], int | None]
"""How often a child, by its id, must have been redriven to answer again; None when there is no such child of this execution."""


def make_plan(stored: StoredExecution, from_operation: str | None) -> tuple[Plan, Operations]:
    operations = Operations(stored.operations.values())
    if from_operation is not None:
        return redrive.plan_from_operation(operations, from_operation), operations
    return redrive.plan_from_failure(operations, stored.record.status, stored.record.error), operations


def reopen(stored: StoredExecution, now: datetime, asked: Asked, count_of: CountOf) -> list[str]:
    """One commit under the execution's lock; answers the ids of invokes that wait for a child again."""
    plan, operations = make_plan(stored, asked.from_operation)
    chosen = operations.by_id[asked.from_operation] if asked.from_operation and asked.replaces_result else None
    if chosen is not None:
        plan = replace(plan, removed=tuple(one for one in plan.removed if one != chosen.id))
    by_hand = None if chosen is None else reopening.succeed_by_hand(chosen, asked.result, now)
    counts = {one: count_of(operations.by_id[one].options.child_id or "") for one in operations.open_invokes(plan)}
    plan = _without(plan, {one for one, count in counts.items() if count is None})
    stored.keep({*plan.reopened, *plan.removed, *([chosen.id] if chosen else [])}, with_input=asked.input is not None)
    for one in plan.removed:
        del stored.operations[one]
    old_input = stored.record.input
    _reopen_execution(stored, now, asked)
    stored.append((reopening.redriven_event(plan, asked, chosen, old_input, stored.redrive_count),))
    for one in plan.reopened:
        move = reopening.reopen(operations.by_id[one], now, child_redrives=counts.get(one) or 0)
        _write(stored, move.record)
        stored.append(move.events)
    for one in plan.rearmed:
        _write(stored, reopening.rearm(operations.by_id[one], now))
    if by_hand is not None:
        _write(stored, by_hand)
    return [one for one in counts if one in stored.operations]


def copy_beginning(source: StoredExecution, target: StoredExecution, from_operation: str | None, now: datetime) -> None:
    """A fork's operations and events, behind its first event, as if they had been recorded at its start."""
    plan, _ = make_plan(source, from_operation)
    plan = redrive.plan_fork(Operations(source.operations.values()), plan)
    numbers = target.adopt(source.events_of(plan), now)
    kept = (replace(source.operations[one], ended_at=now) for one in plan.kept)
    opening: dict[str, Any] = {
        "status": OperationStatus.STARTED,
        "payload": None,
        "error": None,
        "replay_children": False,
        "ended_at": None,
    }
    opened = (replace(source.operations[one], **opening) for one in plan.reopened)
    common: dict[str, Any] = {"started_at": now, "due_at": None, "wake_seq": 0}
    records = (replace(one, start_event=numbers[one.start_event], **common) for one in (*kept, *opened))
    target.operations = {record.id: record for record in sorted(records, key=lambda record: record.start_event)}


def _without(plan: Plan, lost: set[str]) -> Plan:
    """Operations whose child is not here start another one."""
    kept, reopened = (tuple(one for one in group if one not in lost) for group in (plan.kept, plan.reopened))
    return replace(plan, kept=kept, reopened=reopened, removed=(*plan.removed, *sorted(lost)))


def _reopen_execution(stored: StoredExecution, now: datetime, asked: Asked) -> None:
    record, timeout = stored.record, stored.timeout
    stored.redrive_count += 1
    stored.record = replace(
        record,
        status=ExecutionStatus.RUNNING,
        ended_at=None,
        result=None,
        error=None,
        due_at=now,
        deadline_at=None if timeout is None else now + timedelta(seconds=timeout),
        failed_invocations=0,
        wake_seq=record.wake_seq + 1,
        input=record.input if asked.input is None else asked.input,
    )


def _write(stored: StoredExecution, record: OperationRecord) -> None:
    stored.operations[record.id] = replace(record, wake_seq=stored.record.wake_seq)
