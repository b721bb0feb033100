"""`manage.py move_executions ID ... --to-version V` or `manage.py move_executions --function NAME --to-version V`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from durable_ops.actions import repairs as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.bulk import BulkCommand
from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES, ExecutionStatus
from execution_engine.models import Execution


class Command(BulkCommand):
    help = (
        "Let open executions go on with another version of their function, by id or all of a function. Each is rehearsed with the code "
        "that is loaded here first, and stays where it is when that does not fit what it has recorded."
    )
    done = "moved"
    statuses = frozenset(ExecutionStatus) - TERMINAL_EXECUTION_STATUSES

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--to-version", metavar="V", required=True, help="a registered version of the function")
        parser.add_argument("--from-version", metavar="V", help="with --function: only executions of this version")
        parser.add_argument("--force", action="store_true", help="also where it does not fit; needs --reason")

    def of_function(self, function: str, options: dict[str, Any]) -> list[UUID]:
        found = Execution.objects.filter(function=function, status__in=self.statuses).exclude(version=options["to_version"])
        if options["from_version"]:
            found = found.filter(version=options["from_version"])
        return list(found.order_by("started_at", "id").values_list("id", flat=True))

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        actions.move_execution(actor, execution_id, version=options["to_version"], reason=options["reason"], force=options["force"])
