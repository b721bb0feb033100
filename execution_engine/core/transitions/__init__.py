"""The only place with legal moves. Pure functions: a record, a request and the time go in; the next record and its events come out.

Who may move what:
- under a claim (`apply_update`): every START, STEP RETRY/SUCCEED/FAIL, CONTEXT SUCCEED/FAIL, WAIT CANCEL;
- time only (`fire_timer`): STEP to READY, WAIT end, CALLBACK time-out;
- outsiders only (`callback.complete`, `callback.heartbeat`, `chained_invoke.complete`);
- the execution itself: `execution.py`.
"""

from collections.abc import Callable
from datetime import datetime

from execution_engine.core.enums import OperationType
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import OperationRecord, OperationUpdate, Transition
from execution_engine.core.transitions import callback, chained_invoke, context, step, wait

_UPDATES: dict[OperationType, Callable[[OperationRecord | None, OperationUpdate, datetime], Transition]] = {
    OperationType.STEP: step.apply,
    OperationType.WAIT: wait.apply,
    OperationType.CALLBACK: callback.apply,
    OperationType.CONTEXT: context.apply,
    OperationType.CHAINED_INVOKE: chained_invoke.apply,
}
_TIMERS: dict[OperationType, Callable[[OperationRecord, datetime], Transition]] = {
    OperationType.STEP: step.fire,
    OperationType.WAIT: wait.fire,
    OperationType.CALLBACK: callback.fire,
}


def apply_update(record: OperationRecord | None, update: OperationUpdate, now: datetime) -> Transition:
    """The move that author code asks for under its claim. `record` is None when nothing is recorded under the id.

    Raises `IllegalTransitionError`; the caller must then record nothing of the whole call.
    """
    rule = _UPDATES.get(update.type)
    if rule is None:
        raise IllegalTransitionError(f"{update.type} takes no update here", operation_id=update.id)
    if record is not None and record.type is not update.type:
        raise IllegalTransitionError(f"{record.type} {update.id} cannot become {update.type}", operation_id=update.id)
    return rule(record, update, now)


def fire_timer(record: OperationRecord, now: datetime) -> Transition | None:
    """The move that time makes; None when the operation has no timer that is due at `now`."""
    if record.due_at is None or record.due_at > now or record.is_terminal:
        return None
    return _TIMERS[record.type](record, now)
