"""What a repair would do, before it is done: which operations it touches, and a rehearsal of the code over what it leaves."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationType
from execution_engine.core.records import OperationRecord
from execution_engine.core.transitions.redrive import Operations, Plan
from execution_engine.core.transitions.reopening import Asked, outlook
from execution_engine.invocation.rehearsal import stored
from execution_engine.invocation.rehearsal.findings import Rehearsal
from execution_engine.invocation.rehearsal.rehearse import rehearse
from execution_engine.sdk.registry import find_function

_WAITS = (OperationType.WAIT, OperationType.CALLBACK)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What a redrive or a fork would do, in order of start: `kept` are answered from the history, `reopened` run again under their
    ids, `removed` are forgotten by the handler and run again if it comes by, `rearmed` are open callbacks whose time begins anew.

    `rehearsal` is the loaded code run over that without effects.
    """

    kept: tuple[OperationRecord, ...]
    reopened: tuple[OperationRecord, ...]
    removed: tuple[OperationRecord, ...]
    rearmed: tuple[OperationRecord, ...]
    rehearsal: Rehearsal

    @property
    def effects(self) -> tuple[OperationRecord, ...]:
        """Steps whose bodies were run at least once and will be again: what they did outside may be done a second time."""
        again = [one for one in (*self.reopened, *self.removed) if one.type is OperationType.STEP]
        known = {one.id for one in again}
        return (*again, *(one for one in self.rehearsal.effects if one.id not in known))

    @property
    def waits(self) -> tuple[OperationRecord, ...]:
        """Waits and callbacks that begin anew."""
        return tuple(one for one in (*self.reopened, *self.removed, *self.rearmed) if one.type in _WAITS)

    @property
    def children(self) -> tuple[OperationRecord, ...]:
        """Chained invokes: a reopened one redrives its child, a removed one starts another."""
        return tuple(one for one in (*self.reopened, *self.removed) if one.type is OperationType.CHAINED_INVOKE)


def describe(
    execution_id: UUID, plan: Plan, operations: Operations, asked: Asked, now: datetime, *, version: str | None = None
) -> RepairPlan:
    """Rehearses with the code of `version`, by default the one the execution is pinned to. Needs no lock."""
    history = replace(stored.read(execution_id).history, status=ExecutionStatus.RUNNING, result=None, error=None)
    after = outlook(plan, operations, asked, now)
    history = replace(history, operations=after, input=history.input if asked.input is None else asked.input)
    rehearsal = rehearse(find_function(history.function, version or history.version), history, begins_anew=frozenset(plan.removed))
    kept, reopened, removed, rearmed = (_picked(operations, group) for group in (plan.kept, plan.reopened, plan.removed, plan.rearmed))
    return RepairPlan(kept, reopened, removed, rearmed, rehearsal)


def _picked(operations: Operations, ids: tuple[str, ...]) -> tuple[OperationRecord, ...]:
    wanted = frozenset(ids)
    return tuple(record for one, record in operations.by_id.items() if one in wanted)
