"""One act on many executions, given by id or all of a function: what the stop, pause, resume and redrive commands share."""

from argparse import ArgumentParser
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from durable_ops.actions.actor import Actor
from durable_ops.management.corridor import (
    add_user_argument,
    command_actor,
    parse_execution_id,
    print_json,
    progress,
    refusals_end_the_command,
)
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.models import Execution


class BulkCommand(BaseCommand):
    """`done` is the word for a success, `statuses` are those of the executions that --function picks."""

    done: ClassVar[str]
    statuses: ClassVar[frozenset[ExecutionStatus]]

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        """Raises a refusal of the engine; one does not keep the others from their turn."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = ", ".join(sorted(status.value for status in self.statuses))
        parser.add_argument("execution_ids", metavar="ID", nargs="*")
        parser.add_argument("--function", help=f"every execution of this function that is {which}")
        parser.add_argument("--dry-run", action="store_true", help="only say which it would be")
        parser.add_argument("--reason", default="", help="why; kept in the audit log and in the execution's history")
        parser.add_argument("--json", action="store_true", help="print the outcome of each as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if bool(options["execution_ids"]) == bool(options["function"]):
            raise CommandError("Give either ids or --function.")
        actor = command_actor(options["user"])
        ids = [parse_execution_id(one) for one in options["execution_ids"]] or self.of_function(options["function"], options)
        if options["dry_run"]:
            outcomes = [{"id": str(one), "outcome": f"would be {self.done}"} for one in ids]
        else:
            with refusals_end_the_command():
                outcomes = [self._one(actor, one, options) for one in progress(ids, total=len(ids), unit="execution")]
        self._report(outcomes, options)

    def of_function(self, function: str, options: dict[str, Any]) -> list[UUID]:  # noqa: ARG002
        """What --function picks, oldest first."""
        found = Execution.objects.filter(function=function, status__in=self.statuses)
        return list(found.order_by("started_at").values_list("id", flat=True))

    def _one(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> dict[str, str]:
        try:
            self.act(actor, execution_id, options)
        except Refusal as refusal:
            return {"id": str(execution_id), "outcome": refusal.message, "code": refusal.code}
        return {"id": str(execution_id), "outcome": self.done}

    def _report(self, outcomes: list[dict[str, str]], options: dict[str, Any]) -> None:
        if options["json"]:
            print_json(self.stdout, outcomes)
        else:
            for one in outcomes:
                self.stdout.write(f"{one['id']}  {one['outcome']}")
        refused = [one for one in outcomes if "code" in one]
        if refused:
            raise CommandError(f"{len(refused)} of {len(outcomes)} were not {self.done}.")
