"""`manage.py resume_executions ID ...` or `manage.py resume_executions --function NAME`"""

from typing import Any
from uuid import UUID

from durable_ops.actions import repairs as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import ExecutionStatus


class Command(BulkCommand):
    help = "Let paused executions go on, by id or all of a function."
    done = "resumed"
    statuses = frozenset({ExecutionStatus.PAUSED, ExecutionStatus.PAUSING})

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        actions.resume_execution(actor, execution_id, reason=options["reason"])
