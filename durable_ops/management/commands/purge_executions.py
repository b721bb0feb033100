"""`manage.py purge_executions --filter ended_to=30d --filter status=SUCCEEDED --dry-run`"""

from argparse import ArgumentParser
from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from durable_ops.actions import repairs as actions
from durable_ops.management.bulk import ids_of_filters
from durable_ops.management.corridor import (
    add_filter_argument,
    add_user_argument,
    command_actor,
    print_json,
    progress,
    refusals_end_the_command,
)
from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.management.base import DatabaseCommand
from execution_engine.models import Execution


class Command(DatabaseCommand):
    help = (
        "Delete every ended execution that matches the filters, for good and before its retention is over, with its history. Open "
        "ones never match; one that a parent still waits for is left and counted. Prints counts, not ids. Exit code 1 when some were left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_filter_argument(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say how many it would be, by function and status")
        parser.add_argument("--reason", default="", help="why; kept in the audit log of each")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["filter"]:
            raise CommandError("Give at least one --filter, as --filter ended_to=30d.")
        actor = command_actor(options["user"])
        ids = ids_of_filters(options["filter"], actor, TERMINAL_EXECUTION_STATUSES)
        if options["dry_run"]:
            self._report({"matched": len(ids), "deleted": 0, "left": {}, "kinds": _kinds(ids)}, options)
            return
        left: Counter[str] = Counter()
        with refusals_end_the_command():
            for one in progress(ids, total=len(ids), unit="execution"):
                try:
                    actions.delete_execution(actor, one, reason=options["reason"])
                except Refusal as refusal:
                    left[refusal.code] += 1
        self._report({"matched": len(ids), "deleted": len(ids) - left.total(), "left": dict(left)}, options)
        if left:
            raise CommandError(f"{left.total()} of {len(ids)} were not deleted.")

    def _report(self, counts: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"]:
            print_json(self.stdout, counts)
            return
        if options["dry_run"]:
            self.stdout.write(f"{counts['matched']} would be deleted")
            for kind, number in counts["kinds"].items():
                self.stdout.write(f"{number:>10}  {kind}")
            return
        self.stdout.write(f"{counts['deleted']} deleted")
        for code, number in counts["left"].items():
            self.stdout.write(f"{number} left: {code}")


def _kinds(ids: list[UUID]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for begin in range(0, len(ids), 1000):
        rows = Execution.objects.filter(id__in=ids[begin : begin + 1000]).values_list("function", "status")
        found.update(f"{function} {status}" for function, status in rows)
    return dict(found.most_common())
