"""How people and keys repair executions: pause, resume, redrive, fork, move, delete."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import size
from durable_ops.actions.protection import needs_second_person
from durable_ops.audit import log
from durable_ops.costs import ledger
from durable_ops.models import Right
from durable_ops.selectors.masking import masking_of
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import CommandError
from execution_engine.invocation.rehearsal.findings import Rehearsal
from execution_engine.selectors.executions import get_execution
from execution_engine.selectors.functions import function_of
from execution_engine.services import fork, move, redrive, removal, repairs
from execution_engine.services.fork import Forked
from execution_engine.services.move import MovePlan
from execution_engine.services.plans import RepairPlan

__all__ = [
    "Forked",
    "MovePlan",
    "RepairPlan",
    "Replacement",
    "SecondPersonNeededError",
    "delete_execution",
    "fork_execution",
    "move_execution",
    "pause_execution",
    "plan_fork",
    "plan_move",
    "plan_redrive",
    "redrive_execution",
    "resume_execution",
]


class SecondPersonNeededError(CommandError):
    """The function is protected: a second person has to confirm, see `redrive_requests.ask`."""

    code = "second_person_needed"
    status = 409


@dataclass(frozen=True, slots=True)
class Replacement:
    """JSON text that replaces an input or a saved result."""

    text: str | None


def pause_execution(actor: Actor, execution_id: UUID, *, reason: str = "", pauses_timeout: bool = False) -> ExecutionStatus:
    """Returns PAUSED, or PAUSING while an invocation goes on to its next checkpoint. Pausing twice changes nothing.

    Raises PermissionDenied, ExecutionNotFoundError, ExecutionEndedError.
    """
    actor.require_on(Right.PAUSE_EXECUTION, execution_id)
    with transaction.atomic():
        status = repairs.pause_execution(execution_id, reason=reason, pauses_timeout=pauses_timeout)
        log.append(actor, _act("execution.pause", execution_id, reason, pauses_timeout=pauses_timeout))
    return status


def resume_execution(actor: Actor, execution_id: UUID, *, reason: str = "") -> None:
    """Raises PermissionDenied, ExecutionNotFoundError, ExecutionEndedError, ExecutionNotPausedError."""
    actor.require_on(Right.PAUSE_EXECUTION, execution_id)
    with transaction.atomic():
        repairs.resume_execution(execution_id, reason=reason)
        log.append(actor, _act("execution.resume", execution_id, reason))


def plan_redrive(
    actor: Actor,
    execution_id: UUID,
    *,
    from_operation: str | None = None,
    result: Replacement | None = None,
    input: Replacement | None = None,
) -> RepairPlan:
    """What a redrive would do, rehearsed with the code loaded in this process. Changes nothing. Raises as `redrive_execution`."""
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    if result is not None or input is not None:
        actor.require_on(Right.REPLACE_VALUE, execution_id)
    plan = redrive.plan_redrive(
        execution_id,
        from_operation=from_operation,
        replaces_result=result is not None,
        result_text=result.text if result else None,
        input_text=input.text if input else None,
    )
    return replace(plan, rehearsal=_readable(actor, execution_id, plan.rehearsal))


def redrive_execution(
    actor: Actor,
    execution_id: UUID,
    *,
    reason: str = "",
    from_operation: str | None = None,
    result: Replacement | None = None,
    input: Replacement | None = None,
) -> int:
    """Lets an ended execution continue from its failure, or from an operation. Returns how often it was redriven.

    `result` replaces what `from_operation` had, `input` the execution's input. Both need the right to replace values, and for protected
    functions a second person (`redrive_requests.py`). Raises PermissionDenied, ExecutionNotFoundError, ExecutionNotEndedError,
    ExecutionSucceededError, SecondPersonNeededError, InvalidInputError, PayloadTooLargeError.
    """
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    if result is not None or input is not None:
        actor.require_on(Right.REPLACE_VALUE, execution_id)
        _require_no_second_person(actor, execution_id)
    return carry_out_redrive(actor, execution_id, reason=reason, from_operation=from_operation, result=result, input=input)


def carry_out_redrive(
    actor: Actor,
    execution_id: UUID,
    *,
    reason: str,
    from_operation: str | None,
    result: Replacement | None,
    input: Replacement | None,
    **more: Any,
) -> int:
    """The redrive itself, once rights and second person have been checked. `more` are further facts for the audit log."""
    with transaction.atomic():
        redriven = redrive.redrive_execution(
            execution_id,
            reason=reason,
            from_operation=from_operation,
            replaces_result=result is not None,
            result_text=result.text if result else None,
            input_text=input.text if input else None,
        )
        facts: dict[str, Any] = {"redrive_count": redriven.redrive_count, "from_operation": from_operation, **more}
        if result is not None:
            facts["result_bytes"] = size(result.text)
        if input is not None:
            facts["input_bytes"] = size(input.text)
        log.append(actor, _act("execution.redrive", execution_id, reason, **facts))
    return redriven.redrive_count


def plan_fork(
    actor: Actor,
    execution_id: UUID,
    *,
    from_operation: str | None = None,
    version: str | None = None,
    input: Replacement | None = None,
) -> RepairPlan:
    """What a fork would begin with, rehearsed with the code of its version. Changes nothing. Raises as `fork_execution`."""
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    if input is not None:
        actor.require_on(Right.REPLACE_VALUE, execution_id)
    text = input.text if input else None
    plan = fork.plan_fork(execution_id, from_operation=from_operation, version=version, input_text=text)
    return replace(plan, rehearsal=_readable(actor, execution_id, plan.rehearsal))


def fork_execution(
    actor: Actor,
    execution_id: UUID,
    *,
    reason: str = "",
    from_operation: str | None = None,
    name: str | None = None,
    version: str | None = None,
    input: Replacement | None = None,
) -> Forked:
    """Starts a new execution with everything that the old one had done before its failure, or before an operation.

    Needs the rights to start and to redrive. With `input` it also needs the right to replace values, because approvals of the old input are
    kept. Raises PermissionDenied, ExecutionNotFoundError, FunctionNotFoundError, ExecutionAlreadyStartedError, InvalidInputError.
    """
    actor.require_on(Right.START_EXECUTION, execution_id)
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    if input is not None:
        actor.require_on(Right.REPLACE_VALUE, execution_id)
        _require_no_second_person(actor, execution_id)
    with transaction.atomic():
        forked = fork.fork_execution(
            execution_id,
            from_operation=from_operation,
            name=name,
            version=version,
            input_text=input.text if input else None,
            started_by=actor.name,
        )
        facts = {"forked_from": str(execution_id), "from_operation": from_operation, "version": forked.version, "name": forked.name}
        log.append(actor, _act("execution.fork", forked.id, reason, **facts))
    return forked


def plan_move(actor: Actor, execution_id: UUID, *, version: str) -> MovePlan:
    """What another version of the function would do with the execution; changes nothing. Raises as `move_execution`."""
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    plan = move.plan_move(execution_id, version)
    return replace(plan, rehearsal=_readable(actor, execution_id, plan.rehearsal))


def move_execution(actor: Actor, execution_id: UUID, *, version: str, reason: str = "", force: bool = False) -> MovePlan:
    """Lets an open execution continue with another version. Refused if that does not fit, unless forced with a reason.

    Raises PermissionDenied, ExecutionNotFoundError, ExecutionEndedError, FunctionNotFoundError, ExecutionDivergesError,
    ExecutionChangedError, InvalidInputError.
    """
    actor.require_on(Right.REDRIVE_EXECUTION, execution_id)
    with transaction.atomic():
        plan = move.move_execution(execution_id, version, reason=reason, force=force)
        facts = {"from_version": plan.from_version, "to_version": version, "verdict": str(plan.rehearsal.verdict), "forced": force}
        log.append(actor, _act("execution.move", execution_id, reason, **facts))
    return plan


def delete_execution(actor: Actor, execution_id: UUID, *, reason: str = "") -> None:
    """Removes an ended execution for good; the audit row says what it was.

    Raises PermissionDenied, ExecutionNotFoundError, ExecutionNotEndedError, ExecutionNeededError.
    """
    actor.require_on(Right.DELETE_EXECUTION, execution_id)
    with transaction.atomic():
        summary = get_execution(execution_id).summary
        with connection.cursor() as cursor:
            ledger.book(cursor, [execution_id])  # its cost stays
        removal.delete_execution(execution_id)
        facts = {"function": summary.function, "name": summary.name, "status": summary.status}
        act = log.Act("execution.delete", "execution", str(execution_id), execution_id, reason, facts, function=summary.function)
        log.append(actor, act)


def _require_no_second_person(actor: Actor, execution_id: UUID) -> None:
    """The command line is exempt, as it has the database anyway."""
    if actor.user is not None and needs_second_person(function_of(execution_id) or ""):
        raise SecondPersonNeededError("Replaced values of this function need a second person: ask for the redrive, somebody else confirms.")


def _readable(actor: Actor, execution_id: UUID, found: Rehearsal) -> Rehearsal:
    """Findings as this actor may read them: what the code says may quote payloads."""
    access = actor.access
    if not access.may_on(Right.VIEW_PAYLOAD, execution_id):
        return found.without_messages()
    sees_all = access.has_all(Right.VIEW_MASKED) or not masking_of(access).of(function_of(execution_id) or "").paths
    return found if sees_all else found.without_messages()


def _act(action: str, execution_id: UUID, reason: str, **facts: Any) -> log.Act:
    return log.Act(action, "execution", str(execution_id), execution_id=execution_id, reason=reason, facts=facts)
