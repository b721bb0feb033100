"""One act on many executions, given by id, by function or by filters: what stop, pause, resume, redrive, move and delete share."""

from argparse import ArgumentParser
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import CommandError

from durable_ops.actions.actor import Actor
from durable_ops.management.corridor import (
    add_filter_argument,
    add_user_argument,
    command_actor,
    parse_execution_id,
    print_json,
    progress,
    read_filters,
    refusals_end_the_command,
)
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.management.base import DatabaseCommand
from execution_engine.models import Execution
from execution_engine.selectors.executions import matching_ids

MOST = 1_000_000
CHUNK = 1_000


def ids_of_filters(given: list[str], actor: Actor, statuses: frozenset[ExecutionStatus]) -> list[UUID]:
    """Those in one of the statuses that match every --filter, oldest first. Raises CommandError for more than a million."""
    filters = read_filters(given, actor)
    found = matching_ids(filters, MOST) if filters else []
    if len(found) > MOST:
        raise CommandError(f"More than {MOST:,} executions match: narrow it by another --filter.")
    kept: set[UUID] = set()
    for begin in range(0, len(found), CHUNK):
        part = Execution.objects.filter(id__in=found[begin : begin + CHUNK], status__in=statuses)
        kept.update(part.values_list("id", flat=True))
    return [one for one in reversed(found) if one in kept]


class BulkCommand(DatabaseCommand):
    """`done` is the word for a success, `statuses` are those of the executions that --function and --filter pick."""

    done: ClassVar[str]
    statuses: ClassVar[frozenset[ExecutionStatus]]

    def act(self, actor: Actor, execution_id: UUID, options: dict[str, Any]) -> None:
        """Raises a refusal of the engine; one does not keep the others from their turn."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = ", ".join(sorted(status.value for status in self.statuses))
        parser.add_argument("execution_ids", metavar="ID", nargs="*")
        parser.add_argument("--function", help=f"every execution of this function that is {which}")
        add_filter_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say which it would be")
        parser.add_argument("--reason", default="", help="why; kept in the audit log and in the execution's history")
        parser.add_argument("--json", action="store_true", help="print the outcome of each as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        given = [options["execution_ids"], options["function"], options["filter"]]
        if sum(map(bool, given)) != 1:
            raise CommandError("Say which: by ids, by --function or by --filter, one of them.")
        actor = command_actor(options["user"])
        ids = [parse_execution_id(one) for one in options["execution_ids"]]
        if options["filter"]:
            ids = ids_of_filters(options["filter"], actor, self.statuses)
        elif options["function"]:
            ids = self.of_function(options["function"], options)
        if options["dry_run"]:
            outcomes = self._rehearsed(ids, options)
        else:
            with refusals_end_the_command():
                outcomes = [self._one(actor, one, options) for one in progress(ids, total=len(ids), unit="execution")]
        self._report(outcomes, options)

    def could_act_on(self, status: ExecutionStatus, options: dict[str, Any]) -> bool:  # noqa: ARG002
        """Whether an execution in this status, given by its id, would not be refused for it."""
        return status in self.statuses

    def _rehearsed(self, ids: list[UUID], options: dict[str, Any]) -> list[dict[str, str]]:
        """What --dry-run says: who is not there, or in a status in which this is refused, would be left."""
        found: dict[UUID, str] = {}
        for begin in range(0, len(ids), CHUNK):
            found |= dict(Execution.objects.filter(id__in=ids[begin : begin + CHUNK]).values_list("id", "status"))
        outcomes = []
        for one in ids:
            if one not in found:
                outcomes.append({"id": str(one), "outcome": "there is no such execution", "code": "execution_not_found"})
            elif not self.could_act_on(ExecutionStatus(found[one]), options):
                outcomes.append({"id": str(one), "outcome": f"would be refused: it is {found[one]}", "code": "status"})
            else:
                outcomes.append({"id": str(one), "outcome": f"would be {self.done}"})
        return outcomes

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
        elif outcomes:
            for one in outcomes:
                self.stdout.write(f"{one['id']}  {one['outcome']}")
        else:
            self.stderr.write("No execution matches: nothing to do.")
        refused = [one for one in outcomes if "code" in one]
        if refused:
            would = "would not be" if options["dry_run"] else "were not"
            raise CommandError(f"{len(refused)} of {len(outcomes)} {would} {self.done}.")
