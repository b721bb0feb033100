"""Fork an execution: a new one that begins with what the old one had done."""

from uuid import UUID

from django.db import connection, transaction

from execution_engine.core.transitions.reopening import Asked
from execution_engine.journal import fork, functions, store
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.fork import Forked
from execution_engine.services import checks, plans
from execution_engine.services.plans import RepairPlan

__all__ = ["Forked", "fork_execution", "plan_fork"]


def plan_fork(
    execution_id: UUID, *, from_operation: str | None = None, version: str | None = None, input_text: str | None = None
) -> RepairPlan:
    """What the fork would begin with, rehearsed with the code of its version; changes nothing. Raises as `fork_execution`."""
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        if version is not None:
            functions.find_version(cursor, locked.record.function, version)
        plan, operations = fork.make_plan(cursor, execution_id, from_operation)
    return plans.describe(execution_id, plan, operations, Asked(input=input_text), locked.now, version=version)


def fork_execution(
    execution_id: UUID,
    *,
    from_operation: str | None = None,
    name: str | None = None,
    version: str | None = None,
    input_text: str | None = None,
    started_by: str = "",
) -> Forked:
    """Copies input, attributes, seed and what had ended before `from_operation` (default: before the failure, or all of it).

    The old execution, open or not, is left as it is; what was open there begins anew here, callbacks under new ids. `version` moves
    the fork to another registered version, `input_text` replaces the input. Raises `ExecutionNotFoundError`,
    `FunctionNotFoundError` (version), `ExecutionAlreadyStartedError` (name), `InvalidInputError`, `PayloadTooLargeError`.
    """
    checks.check_name(name)
    checks.check_payload(input_text, "input")
    with transaction.atomic(), connection.cursor() as cursor:
        locked = store.lock(cursor, execution_id)
        if version is not None:
            functions.find_version(cursor, locked.record.function, version)
        forked = fork.execute(
            cursor,
            locked,
            from_operation=from_operation,
            name=name,
            version=version,
            input_text=input_text,
            started_by=started_by,
        )
    ring_after_commit()
    return forked
