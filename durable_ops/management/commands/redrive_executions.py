"""`manage.py redrive_executions ID ...` or `manage.py redrive_executions --function NAME`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from durable_ops.actions import repairs as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import ExecutionStatus


class Command(BulkCommand):
    help = (
        "Let ended executions go on from their failure, by id or all failed and timed out ones of a function. "
        "What finished is not run again; only what led to the failure is."
    )
    done = "redriven"
    statuses = frozenset({ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT})

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from-operation", metavar="OPERATION_ID", help="begin with this operation instead (one execution)")

    def could_act_on(self, status: ExecutionStatus, options: dict[str, Any]) -> bool:
        """One that was stopped can be redriven; one that succeeded from a chosen operation."""
        return status.is_terminal and (status is not ExecutionStatus.SUCCEEDED or bool(options["from_operation"]))

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        actions.redrive_execution(actor, execution_id, reason=options["reason"], from_operation=options["from_operation"])
