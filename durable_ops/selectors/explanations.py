"""Why an execution does not move, with the people in it: who has to decide, and who paused it and why."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from durable_ops.models import Approval, AuditEntry, Right
from durable_ops.permissions import Access
from durable_ops.selectors.assignees import gone_groups, named
from execution_engine.models import Execution
from execution_engine.selectors import causes
from execution_engine.selectors.causes import Cause, CauseCode, Explanation
from execution_engine.selectors.executions import ExecutionDetail


def explain(execution_id: UUID, detail: ExecutionDetail | None = None, *, access: Access) -> Explanation:
    """What is behind executions of functions that `access` may not see is left out. Raises ExecutionNotFoundError.

    As many queries as the engine's, whatever their number: three more for approvals, a fourth where groups are asked, one for pauses,
    and one for limited people.
    """
    found = causes.explain(execution_id, detail)
    if not access.has_all(Right.VIEW_EXECUTION):
        found = replace(found, causes=_cut(found.causes, _foreign(found, execution_id, access)))
    every = list(_walk(found.causes, execution_id))
    approvals = _approvals(cause.callback_id for cause, _ in every if cause.code is CauseCode.APPROVAL)
    pauses = _pauses([owner for cause, owner in every if cause.code is CauseCode.PAUSE])
    return replace(found, causes=tuple(_told(cause, execution_id, approvals, pauses) for cause in found.causes))


def _walk(found: Iterable[Cause], owner: UUID) -> Iterator[tuple[Cause, UUID]]:
    """Every cause with the execution that it belongs to."""
    for cause in found:
        yield cause, owner
        yield from _walk(cause.causes, cause.execution_id or owner)


def _foreign(found: Explanation, execution_id: UUID, access: Access) -> frozenset[UUID]:
    """One query."""
    owners = {cause.execution_id for cause, _ in _walk(found.causes, execution_id) if cause.execution_id}
    functions = Execution.objects.filter(id__in=owners).values_list("id", "function")
    return frozenset(one for one, function in functions if not access.may(Right.VIEW_EXECUTION, function))


def _cut(found: Iterable[Cause], foreign: frozenset[UUID]) -> tuple[Cause, ...]:
    return tuple(replace(one, causes=() if one.execution_id in foreign else _cut(one.causes, foreign)) for one in found)


def _told(cause: Cause, owner: UUID, approvals: dict[str, str], pauses: dict[UUID, str]) -> Cause:
    sentence = approvals.get(cause.callback_id or "") or (pauses.get(owner) if cause.code is CauseCode.PAUSE else None)
    inner = tuple(_told(one, cause.execution_id or owner, approvals, pauses) for one in cause.causes)
    return replace(cause, sentence=sentence or cause.sentence, causes=inner)


def _approvals(callback_ids: Iterable[str | None]) -> dict[str, str]:
    wanted = [one for one in callback_ids if one]
    found = Approval.objects.filter(callback_id__in=wanted).prefetch_related(named(), "decisions") if wanted else ()
    return {approval.callback_id: _question(approval) for approval in found}


def _question(approval: Approval) -> str:
    asked = [one for one in approval.assignees.all() if one.is_active]
    parts = [f"“{approval.title}” waits for {', '.join(one.words for one in asked) or 'somebody'} to decide"]
    parts += [f"group {name} does not exist any more" for name in gone_groups(asked)]
    if approval.quorum > 1:
        counted = [one for one in approval.decisions.all() if one.redrive_count == approval.redrive_count]
        parts.append(f"{len(counted)} of {approval.quorum} have")
    if approval.reminders:
        parts.append(f"reminded {approval.reminders} time{'s' if approval.reminders > 1 else ''}")
    if approval.escalated_at:
        parts.append("escalated")
    return "; ".join(parts) + "."


def _pauses(execution_ids: list[UUID]) -> dict[UUID, str]:
    """The last pause of each."""
    if not execution_ids:
        return {}
    rows = AuditEntry.objects.filter(execution_id__in=execution_ids, action="execution.pause").order_by("id")
    return {
        row.execution_id: f"{row.actor} paused it{f': {row.reason}' if row.reason else ''}. It goes on when somebody resumes it."
        for row in rows
        if row.execution_id
    }
