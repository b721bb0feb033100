"""Redrive: an ended execution continues from its failure, or from a chosen operation. What finished is kept.

Which operations are affected is decided here once, for the plan that people read and for the redrive itself. How each of them continues is
in `reopening.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationSubType, OperationType
from execution_engine.core.errors import ExecutionSucceededError, InvalidInputError
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord
from execution_engine.core.transitions.execution import refuse_open

_FAILED = (OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED)
_BATCHES = (OperationSubType.MAP, OperationSubType.PARALLEL)


def refuse(record: ExecutionRecord, from_operation: str | None) -> None:
    """Raises ExecutionNotEndedError, and ExecutionSucceededError where no operation is chosen."""
    refuse_open(record)
    if record.status is ExecutionStatus.SUCCEEDED and from_operation is None:
        sentence = "the execution succeeded; choose the operation from which it runs again"
        raise ExecutionSucceededError(sentence, execution_id=str(record.id), execution_status=str(record.status))


@dataclass(frozen=True, slots=True)
class Plan:
    """Operation ids by what happens to them. `kept` ones are answered from the history.

    `reopened` ones run again under their id. `removed` ones never happened, as far as the handler can see. `rearmed` ones are open
    callbacks whose timers start again.
    """

    kept: tuple[str, ...]
    reopened: tuple[str, ...]
    removed: tuple[str, ...] = ()
    rearmed: tuple[str, ...] = ()


class Operations:
    """The recorded operations as a tree, siblings in order of start."""

    def __init__(self, records: Iterable[OperationRecord]) -> None:
        self.by_id = {record.id: record for record in sorted(records, key=lambda record: record.start_event)}
        self.children: dict[str | None, list[OperationRecord]] = defaultdict(list)
        for record in self.by_id.values():
            self.children[record.parent_id].append(record)

    def below(self, operation_id: str) -> list[OperationRecord]:
        """Every operation inside a context, at any depth; without recursion, as contexts may be nested deeply."""
        found: list[OperationRecord] = []
        waiting = list(self.children[operation_id])
        while waiting:
            record = waiting.pop()
            found.append(record)
            waiting.extend(self.children[record.id])
        return found

    def open_invokes(self, plan: "Plan") -> list[str]:
        """Invokes that will wait for a child: reopened, or open since before the end. The child may have ended without being heard."""
        waiting = (*plan.reopened, *(one for one in plan.kept if not self.by_id[one].is_terminal))
        return [one for one in waiting if self.by_id[one].type is OperationType.CHAINED_INVOKE]

    def failed_inside(self, record: OperationRecord) -> bool:
        """Whether it failed, or is a map or parallel that succeeded although branches failed."""
        if record.status in _FAILED:
            return True
        return record.sub_type in _BATCHES and any(child.status in _FAILED for child in self.children[record.id])

    def says(self, record: OperationRecord, error: ErrorObject) -> bool:
        """Whether its failure, or for a batch that succeeded with failures one of theirs, has this message."""
        errors = [record.error] if record.error is not None else [child.error for child in self.children[record.id]]
        return any(found is not None and found.message == error.message for found in errors)


def plan_from_failure(operations: Operations, status: ExecutionStatus, error: ErrorObject | None) -> Plan:
    """Reopens only the cause chain of the terminal error: a failure that the handler caught stays as it was.

    A stop and a time-out have no operation as their cause: what was open goes on, everything else stays.
    """
    reopened: list[str] = []
    is_failure = status is ExecutionStatus.FAILED
    waiting: list[tuple[str | None, ErrorObject | None]] = [(None, error)] if is_failure else []
    while waiting:
        parent_id, failure = waiting.pop()
        for cause in _causes(operations, parent_id, failure):
            reopened.append(cause.id)
            if cause.type is OperationType.CONTEXT:
                waiting.append((cause.id, cause.error))
    return _complete(operations, reopened, [])


def plan_from_operation(operations: Operations, chosen_id: str) -> Plan:
    """Runs again from a chosen operation. What came after it, in its own context and in the contexts around it, is removed.

    Other branches of a map or parallel are kept. Raises `InvalidInputError`.
    """
    chosen = operations.by_id.get(chosen_id)
    if chosen is None:
        raise InvalidInputError("the execution has no such operation", field="from_operation", value=chosen_id[:100])
    removed: set[str] = set()
    reopened: list[str] = []
    here: OperationRecord | None = chosen
    while here is not None:
        parent = operations.by_id.get(here.parent_id) if here.parent_id else None
        if parent is None or parent.sub_type not in _BATCHES:
            later = [record for record in operations.children[here.parent_id] if record.start_event > here.start_event]
            for record in later:
                removed |= {record.id, *(inner.id for inner in operations.below(record.id))}
        if parent is not None and parent.is_terminal:
            reopened.append(parent.id)
        here = parent
    removed |= {chosen.id, *(inner.id for inner in operations.below(chosen.id))}
    return _complete(operations, [one for one in reopened if one not in removed], sorted(removed))


def plan_fork(operations: Operations, plan: Plan) -> Plan:
    """What a fork keeps: all that ended before the failure or the chosen operation of `plan`. `reopened` are the contexts around that one.

    What is open, its callbacks and children included, stays with the old execution and begins anew in the fork.
    """
    reopened, kept = set(plan.reopened), [operations.by_id[one] for one in plan.kept]
    contexts = {one for one in plan.reopened if operations.by_id[one].type is OperationType.CONTEXT}
    contexts |= {record.id for record in kept if record.type is OperationType.CONTEXT and not record.is_terminal}
    unsent = {one for one in contexts if operations.by_id[one].sub_type == OperationSubType.WAIT_FOR_CALLBACK}
    unsent -= {one for one in unsent if all(child.is_terminal and child.id not in reopened for child in operations.children[one])}
    ended = tuple(record.id for record in kept if record.is_terminal and record.parent_id not in unsent)
    dropped = tuple(one for one in operations.by_id if one not in contexts and one not in ended)
    return Plan(ended, tuple(sorted(contexts)), dropped)


def _causes(operations: Operations, parent_id: str | None, error: ErrorObject | None) -> list[OperationRecord]:
    """Of one context's operations those whose failure became its error: of a batch all, else the last to say the same.

    A handler may raise an error of its own about a failure: then the failure is the cause if nothing ended after it. A failure
    after which the handler went on, to undo what it had done perhaps, is no cause: reopened, it would leave those later operations
    without their place.
    """
    siblings = operations.children[parent_id]
    failed = [record for record in siblings if operations.failed_inside(record)]
    parent = operations.by_id.get(parent_id) if parent_id else None
    if parent is not None and parent.sub_type in _BATCHES:
        return failed
    if parent is not None and parent.sub_type == OperationSubType.WAIT_FOR_CALLBACK:
        # The submitter hands out the callback's id, and the new callback has a new one.
        return siblings if failed else []
    unhandled = [record for record in failed if not _went_on_after(record, siblings)]
    same = [record for record in unhandled if error is not None and operations.says(record, error)]
    if same:
        return [max(same, key=_end)]
    last = max((record for record in siblings if record.ended_at is not None), key=_end, default=None)
    return [last] if last in unhandled else []


def _went_on_after(failed: OperationRecord, siblings: Sequence[OperationRecord]) -> bool:
    """Whether the handler called something after it had seen this failure; a callback's is seen later than it happens."""
    return failed.type is not OperationType.CALLBACK and siblings[-1].start_event > failed.start_event


def _end(record: OperationRecord) -> tuple[float, int]:
    return (record.ended_at.timestamp() if record.ended_at else 0.0, record.start_event)


def _complete(operations: Operations, reopened: Sequence[str], removed: Sequence[str]) -> Plan:
    touched = {*reopened, *removed}
    rearmed = [
        record.id
        for record in operations.by_id.values()
        if record.type is OperationType.CALLBACK and record.status is OperationStatus.STARTED and record.id not in touched
    ]
    kept = [one for one in operations.by_id if one not in touched]
    return Plan(tuple(kept), tuple(reopened), tuple(removed), tuple(rearmed))
