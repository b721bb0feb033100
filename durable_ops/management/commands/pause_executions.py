"""`manage.py pause_executions ID ...` or `manage.py pause_executions --function NAME`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from durable_ops.actions import repairs as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import ExecutionStatus


class Command(BulkCommand):
    help = (
        "Pause executions by id, or all running ones of a function: an invocation under way goes on to its next checkpoint, then nothing "
        "is invoked until resume_executions. Timers and callbacks still complete."
    )
    done = "paused"
    statuses = frozenset({ExecutionStatus.RUNNING})

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--pause-timeout", action="store_true", help="the executions' own timeouts stand still meanwhile")

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        actions.pause_execution(actor, execution_id, reason=options["reason"], pauses_timeout=options["pause_timeout"])
