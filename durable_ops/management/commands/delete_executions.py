"""`manage.py delete_executions ID ...` or `manage.py delete_executions --function NAME`"""

from typing import Any
from uuid import UUID

from durable_ops.actions import repairs as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES


class Command(BulkCommand):
    help = (
        "Delete ended executions for good, by id or all of a function, with their operations and histories. "
        "Those that a parent still waits for are refused. Retention does the same by itself."
    )
    done = "deleted"
    statuses = TERMINAL_EXECUTION_STATUSES

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        actions.delete_execution(actor, execution_id, reason=options["reason"])
