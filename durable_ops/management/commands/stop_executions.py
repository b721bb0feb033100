"""`manage.py stop_executions ID ...` or `manage.py stop_executions --function NAME`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from durable_ops.actions import executions as actions
from durable_ops.management.corridor import (
    add_user_argument,
    command_actor,
    parse_execution_id,
    print_json,
    progress,
    refusals_end_the_command,
)
from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.core.records import ErrorObject
from execution_engine.models import Execution


class Command(BaseCommand):
    help = (
        "Stop executions by id, or all open ones of a function. They end STOPPED and are not resumed; finished steps are not undone. "
        "Exit code 1 when one of them could not be stopped, for example because it had ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution_ids", metavar="ID", nargs="*")
        parser.add_argument("--function", help="stop every open execution of this function")
        parser.add_argument("--dry-run", action="store_true", help="only say which would be stopped")
        parser.add_argument("--reason", default="", help="why; kept in the audit log and in the execution's error")
        parser.add_argument("--error-type", metavar="TYPE", help="error type to keep instead of Execution.Stopped")
        parser.add_argument("--json", action="store_true", help="print the outcome of each as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if bool(options["execution_ids"]) == bool(options["function"]):
            raise CommandError("Give either ids or --function.")
        actor = command_actor(options["user"])
        ids = [parse_execution_id(one) for one in options["execution_ids"]] or _open_executions(options["function"])
        if options["dry_run"]:
            outcomes = [{"id": str(one), "outcome": "would be stopped"} for one in ids]
        else:
            with refusals_end_the_command():
                outcomes = [_stop(actor, one, options) for one in progress(ids, total=len(ids), unit="execution")]
        if options["json"]:
            print_json(self.stdout, outcomes)
        else:
            for one in outcomes:
                self.stdout.write(f"{one['id']}  {one['outcome']}")
        refused = [one for one in outcomes if "code" in one]
        if refused:
            raise CommandError(f"{len(refused)} of {len(outcomes)} were not stopped.")


def _open_executions(function: str) -> list[UUID]:
    found = Execution.objects.filter(function=function).exclude(status__in=TERMINAL_EXECUTION_STATUSES)
    return list(found.order_by("started_at").values_list("id", flat=True))


def _stop(actor: Any, execution_id: UUID, options: dict[str, Any]) -> dict[str, str]:
    """One refusal does not keep the others from being stopped."""
    kind, reason = options["error_type"], options["reason"]
    error = ErrorObject(message=reason or None, type=kind) if kind else None
    try:
        actions.stop_execution(actor, execution_id, reason=reason, error=error)
    except Refusal as refusal:
        return {"id": str(execution_id), "outcome": refusal.message, "code": refusal.code}
    return {"id": str(execution_id), "outcome": "stopped"}
