"""`manage.py list_schedules --function nightly-report`"""

from argparse import ArgumentParser
from typing import Any

from durable_ops.api.serializers import schedules as shapes
from durable_ops.management.corridor import add_user_argument, command_actor, print_json, print_table, refusals_end_the_command
from durable_ops.management.schedules import shown
from durable_ops.models import Right
from execution_engine.management.base import DatabaseCommand
from execution_engine.selectors.schedules import ScheduleRow, list_schedules

PAGE = 200


class Command(DatabaseCommand):
    help = "List schedules by name: what each starts, by which rule, when it fires next, and why its last firing started nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", help="only schedules of this function")
        parser.add_argument("--json", action="store_true", help="print the fields of the REST list as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        actor = command_actor(options["user"])
        with refusals_end_the_command():
            rows = [row for row in _all(options["function"]) if actor.may(Right.VIEW_EXECUTION, row.function)]
        if options["json"]:
            print_json(self.stdout, [shapes.schedule(row, actor.access) for row in rows])
            return
        cells = [[row.name, row.function, row.rule, row.timezone, _next(row), row.last_error] for row in rows]
        print_table(self.stdout, ["NAME", "FUNCTION", "RULE", "ZONE", "NEXT (UTC)", "LAST ERROR"], cells)


def _next(row: ScheduleRow) -> str:
    return "paused" if row.is_paused else shown(row.due_at)


def _all(function: str | None) -> list[ScheduleRow]:
    functions = None if function is None else [function]
    found = page = list_schedules(functions, limit=PAGE)
    while len(page) == PAGE:
        page = list_schedules(functions, after_name=page[-1].name, limit=PAGE)
        found = [*found, *page]
    return found
