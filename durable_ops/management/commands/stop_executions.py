"""`manage.py stop_executions ID ...` or `manage.py stop_executions --function NAME`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from durable_ops.actions import executions as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES, ExecutionStatus
from execution_engine.core.records import ErrorObject


class Command(BulkCommand):
    help = (
        "Stop executions by id, or all open ones of a function. They end STOPPED; finished steps are not undone. "
        "Exit code 1 when one of them could not be stopped, for example because it had ended."
    )
    done = "stopped"
    statuses = frozenset(ExecutionStatus) - TERMINAL_EXECUTION_STATUSES

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--error-type", metavar="TYPE", help="error type to keep instead of Execution.Stopped")

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        kind, reason = options["error_type"], options["reason"]
        error = ErrorObject(message=reason or None, type=kind) if kind else None
        actions.stop_execution(actor, execution_id, reason=reason, error=error)
