"""A checkpoint call as a whole: what a caller outside the process may ask for in one. Pure; what an operation may do next stands in
the rules of its type, and types, patterns and ranges of single members in `core/wire.py`.

`check_shape` needs the call alone, `check_place` the operations it names with every context around them, as read under the lock.
Both raise `InvalidParameterValueError`, and then nothing of the call may be recorded.
"""

from collections.abc import Mapping, Sequence

from execution_engine.core.enums import OperationAction, OperationSubType, OperationType
from execution_engine.core.errors import InvalidParameterValueError
from execution_engine.core.records import OperationRecord, OperationUpdate

MAX_UPDATES = 1000
"""Four times what AWS's SDKs put into one call; more would hold the execution's lock for too long."""

BRANCHING = (OperationSubType.MAP, OperationSubType.PARALLEL)
_START, _SUCCEED, _FAIL = OperationAction.START, OperationAction.SUCCEED, OperationAction.FAIL
_RETRY, _CANCEL = OperationAction.RETRY, OperationAction.CANCEL
_ACTIONS: Mapping[OperationType, frozenset[OperationAction]] = {
    OperationType.EXECUTION: frozenset({_SUCCEED, _FAIL}),
    OperationType.STEP: frozenset({_START, _SUCCEED, _FAIL, _RETRY}),
    OperationType.CONTEXT: frozenset({_START, _SUCCEED, _FAIL}),
    OperationType.WAIT: frozenset({_START, _CANCEL}),
    OperationType.CALLBACK: frozenset({_START}),
    OperationType.CHAINED_INVOKE: frozenset({_START}),
}
_TWO_STEPS = (OperationType.STEP, OperationType.CONTEXT)
_SAME = (("type", "Type"), ("sub_type", "SubType"), ("name", "Name"), ("parent_id", "ParentId"))


def is_waited_for(updates: Sequence[OperationUpdate]) -> bool:
    """Whether a thread of the handler waits for the answer: SDKs send STARTs of steps and contexts without waiting, and those of
    at-most-once steps look the same. Only such an answer can tell of news, since otherwise the handler may have looked before."""
    return not updates or any(update.action is not _START or update.type not in _TWO_STEPS for update in updates)


def begins_body(update: OperationUpdate) -> bool:
    """A step that was started for good must run: cut off here, as by a pause, it would count as an interrupted attempt."""
    return update.type is OperationType.STEP and update.action is _START


def check_shape(updates: Sequence[OperationUpdate]) -> None:
    """What is wrong with a call whatever is recorded. Raises InvalidParameterValueError, as AWS words it."""
    if len(updates) > MAX_UPDATES:
        raise InvalidParameterValueError(
            f"a call takes at most {MAX_UPDATES} updates, this one has {len(updates)}", limit=MAX_UPDATES, value=len(updates)
        )
    seen: dict[str, list[OperationUpdate]] = {}
    for number, update in enumerate(updates):
        _check_update(update)
        if update.type is OperationType.EXECUTION and number != len(updates) - 1:
            raise _refused(update, "must be the last update of its call, and the only one of its type")
        before = seen.setdefault(update.id, [])
        if before and not (len(before) == 1 and before[0].action is _START and update.action is not _START and update.type in _TWO_STEPS):
            raise _refused(update, "has more than one update in this call; only a STEP or CONTEXT may have its START and one other")
        before.append(update)


def check_place(updates: Sequence[OperationUpdate], known: Mapping[str, OperationRecord]) -> None:
    """Each update is of the operation that is recorded under its id, below contexts that exist and are open."""
    started: dict[str, OperationUpdate] = {}
    closed: set[str] = set()
    for update in updates:
        found = known.get(update.id) or started.get(update.id)
        if found is None:
            started[update.id] = update
        else:
            _check_same(update, found)
        parent_id = update.parent_id if found is None else found.parent_id
        _check_parents(update, parent_id, known, started, closed)
        if update.type is OperationType.CONTEXT and update.action is not _START:
            closed.add(update.id)


def _check_update(update: OperationUpdate) -> None:
    allowed = _ACTIONS[update.type]
    if update.action not in allowed:
        raise _refused(update, f"takes {', '.join(sorted(allowed))} only")
    if update.action in (_START, _SUCCEED) and update.error is not None:
        raise _refused(update, "carries no Error")
    if update.action is _FAIL and update.payload is not None:
        raise _refused(update, "carries no Payload")
    if update.action is _RETRY:
        if update.error is not None and update.payload is not None:
            raise _refused(update, "carries an Error or a Payload, not both")
        if not update.options.delay:
            raise _refused(update, "needs StepOptions.NextAttemptDelaySeconds")
    if update.type is OperationType.WAIT and update.action is _START and not update.options.duration:
        raise _refused(update, "needs WaitOptions.WaitSeconds")
    if update.type is OperationType.CHAINED_INVOKE and not update.options.function:
        raise _refused(update, "needs ChainedInvokeOptions.FunctionName")


def _check_same(update: OperationUpdate, found: OperationRecord | OperationUpdate) -> None:
    for attribute, key in _SAME:
        given, recorded = getattr(update, attribute), getattr(found, attribute)
        if given is not None and given != recorded:
            raise _refused(update, f"has {key} {given}, recorded is {recorded or 'none'}")


def _check_parents(
    update: OperationUpdate,
    parent_id: str | None,
    known: Mapping[str, OperationRecord],
    started: Mapping[str, OperationUpdate],
    closed: set[str],
) -> None:
    while parent_id is not None:
        record = known.get(parent_id)
        parent = record or started.get(parent_id)
        if parent is None or parent_id == update.id:
            raise _refused(update, f"has a ParentId {parent_id} that names no operation started before it")
        if parent.type is not OperationType.CONTEXT:
            raise _refused(update, f"has a ParentId {parent_id} that is a {parent.type}, not a CONTEXT")
        if parent_id in closed or (record is not None and record.is_terminal):
            raise _refused(update, f"stands in context {parent_id}, which has ended")
        parent_id = parent.parent_id


def _refused(update: OperationUpdate, problem: str) -> InvalidParameterValueError:
    return InvalidParameterValueError(f"{update.action} of {update.type} {update.id} {problem}", operation_id=update.id)
