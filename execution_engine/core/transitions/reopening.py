"""How each operation that a redrive affects continues, and what the history says about it."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from execution_engine.core.enums import EventType, OperationStatus, OperationType
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.identifiers import new_callback_id
from execution_engine.core.records import HistoryEvent, OperationRecord, Transition
from execution_engine.core.transitions.redrive import Operations, Plan

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


def reopen(record: OperationRecord, now: datetime, *, child_redrives: int = 0) -> Transition:
    """The state from which this operation runs again.

    STEP: READY with fresh attempts. CONTEXT: STARTED. CALLBACK: waits anew under a new id, so that a late answer to the old one is
    refused. CHAINED_INVOKE: waits for its child, which is redriven in its own transaction and must then have been redriven
    `child_redrives` times.
    """
    fresh = replace(record, attempt=0, payload=None, error=None, ended_at=None, due_at=None, replay_children=False)
    if record.type is OperationType.STEP:
        return Transition(replace(fresh, status=OperationStatus.READY))
    if record.type is OperationType.CALLBACK:
        callback_id = new_callback_id()
        details: dict[str, object] = {"CallbackId": callback_id}
        if record.options.timeout:
            details["Timeout"] = record.options.timeout
        if record.options.heartbeat:
            details["HeartbeatTimeout"] = record.options.heartbeat
        waiting = replace(fresh, status=OperationStatus.STARTED, callback_id=callback_id)
        return Transition(rearm(waiting, now), (HistoryEvent(EventType.CALLBACK_STARTED, record.id, details),))
    if record.type is OperationType.CHAINED_INVOKE:
        options = replace(record.options, redrives=child_redrives)
        return Transition(replace(fresh, status=OperationStatus.STARTED, options=options))
    return Transition(replace(fresh, status=OperationStatus.STARTED))


def succeed_by_hand(record: OperationRecord, payload: str | None, now: datetime) -> OperationRecord:
    """A value that a person typed becomes the operation's result, whatever its status was. Raises `InvalidInputError`."""
    if record.type not in (OperationType.STEP, OperationType.CALLBACK, OperationType.CHAINED_INVOKE):
        raise InvalidInputError(f"a {record.type} has no saved result", field="result")
    attempt = max(record.attempt, 1) if record.type is OperationType.STEP else record.attempt
    return replace(record, status=OperationStatus.SUCCEEDED, attempt=attempt, payload=payload, error=None, ended_at=now, due_at=None)


def rearm(record: OperationRecord, now: datetime) -> OperationRecord:
    """An open callback whose timers start again: nobody could answer it while the execution was over."""
    timers = [now + timedelta(seconds=one) for one in (record.options.timeout, record.options.heartbeat) if one]
    return replace(record, started_at=now, due_at=min(timers, default=None))


def outlook(plan: Plan, operations: Operations, asked: Asked, now: datetime) -> list[OperationRecord]:
    """The operations as the handler would find them after the plan was carried out, in order of start."""
    reopened, rearmed, kept = frozenset(plan.reopened), frozenset(plan.rearmed), frozenset(plan.kept)
    found: list[OperationRecord] = []
    for record in operations.by_id.values():
        if asked.replaces_result and record.id == asked.from_operation:
            found.append(succeed_by_hand(record, asked.result, now))
        elif record.id in reopened:
            found.append(reopen(record, now).record)
        elif record.id in rearmed:
            found.append(rearm(record, now))
        elif record.id in kept:
            found.append(record)
    return found


def redriven_event(plan: Plan, asked: Asked, chosen: OperationRecord | None, old_input: str | None, count: int) -> HistoryEvent:
    """ExecutionRedriven. Both values of what was replaced, `chosen`'s result and the input, are its payload."""
    details: dict[str, object] = {
        "RedriveCount": count,
        "ReopenedOperations": list(plan.reopened[:NAMED_IN_EVENT]),
        "RemovedOperations": len(plan.removed),
    }
    if asked.reason:
        details["Reason"] = asked.reason
    if asked.from_operation:
        details["FromOperation"] = asked.from_operation
    before, after = dict[str, str | None](), dict[str, str | None]()
    if chosen is not None:
        details["ReplacedResultOf"] = chosen.id
        before["Result"], after["Result"] = chosen.payload, asked.result
    if asked.input is not None:
        before["Input"], after["Input"] = old_input, asked.input
    payload = json.dumps({"Previous": before, "Replacement": after}) if before else None
    return HistoryEvent(EventType.EXECUTION_REDRIVEN, None, details, payload=payload)
