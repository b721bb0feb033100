"""Redrive: an execution that failed, timed out or was stopped goes on; what finished is not run again."""

from uuid import UUID

from django.db import connection, transaction

from execution_engine.core.errors import InvalidInputError
from execution_engine.core.transitions import redrive as transitions
from execution_engine.core.transitions.reopening import Asked
from execution_engine.journal import redrive, store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.redrive import Redriven
from execution_engine.services import checks, plans
from execution_engine.services.plans import RepairPlan


def plan_redrive(
    execution_id: UUID,
    *,
    from_operation: str | None = None,
    replaces_result: bool = False,
    result_text: str | None = None,
    input_text: str | None = None,
) -> RepairPlan:
    """What `redrive_execution` with the same arguments would do, rehearsed; changes nothing.

    Raises `ExecutionNotFoundError`, `ExecutionNotEndedError`, `ExecutionSucceededError`, `InvalidInputError` (unknown operation).
    """
    asked = Asked("", from_operation, replaces_result and from_operation is not None, result_text, input_text)
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        transitions.refuse(locked.record, from_operation)
        plan, operations = redrive.make_plan(cursor, execution_id, from_operation)
    return plans.describe(execution_id, plan, operations, asked, locked.now)


def redrive_execution(
    execution_id: UUID,
    *,
    reason: str = "",
    from_operation: str | None = None,
    replaces_result: bool = False,
    result_text: str | None = None,
    input_text: str | None = None,
) -> Redriven:
    """Lets an ended execution go on, due at once and with its whole timeout before it.

    Without `from_operation` only the operations that led to the terminal error are reopened; with it, everything from there on runs
    again. `replaces_result` puts `result_text` in the place of that operation's result instead of running it; `input_text` replaces
    the input. Old values stay in the history. Raises `ExecutionNotFoundError`, `ExecutionNotEndedError`, `ExecutionSucceededError`
    (and no operation chosen), `InvalidInputError`, `PayloadTooLargeError`.
    """
    checks.check_text(reason, "reason")
    checks.check_payload(result_text, "result")
    checks.check_payload(input_text, "input")
    if replaces_result and from_operation is None:
        raise InvalidInputError("say whose result is replaced", field="from_operation")
    asked = Asked(reason, from_operation, replaces_result, result_text, input_text)
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        transitions.refuse(locked.record, from_operation)
        redriven = redrive.execute(cursor, locked, asked)
    ring_after_commit()
    return redriven
