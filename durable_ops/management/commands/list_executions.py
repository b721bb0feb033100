"""`manage.py list_executions --function expense-approval --status RUNNING`"""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from durable_ops.api.serializers.executions import execution_summary
from durable_ops.management.corridor import (
    add_filter_argument,
    command_actor,
    print_json,
    print_table,
    read_filters,
    refusals_end_the_command,
)
from execution_engine.core.enums import ExecutionStatus
from execution_engine.management.base import DatabaseCommand, number_from_one
from execution_engine.selectors.executions import MAX_PAGE, ExecutionSummary, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters


class Command(DatabaseCommand):
    help = "List executions, the newest first, with what each is really doing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", help="only executions of this function")
        parser.add_argument("--status", choices=[one.value for one in ExecutionStatus])
        parser.add_argument("--state", choices=[one.value for one in StateCode])
        parser.add_argument("--name", help="only the execution of this name")
        add_filter_argument(parser)
        parser.add_argument("--limit", type=number_from_one, default=50, help="how many at most (default 50)")
        parser.add_argument("--json", action="store_true", help="print the fields of the REST list as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        state = StateCode(options["state"]) if options["state"] else None
        own = read_filters(options["filter"], command_actor(None)) or ExecutionFilters()
        given = {"status": options["status"], "state": state, "function": options["function"], "name": options["name"]}
        filters = replace(own, **{key: value for key, value in given.items() if value is not None})
        with refusals_end_the_command():
            found = _collect(filters, options["limit"])
        if options["json"]:
            print_json(self.stdout, [execution_summary(one) for one in found])
            return
        rows = [[str(one.id), one.function, one.version, one.state.label, f"{one.started_at:%Y-%m-%d %H:%M:%S}", one.name] for one in found]
        print_table(self.stdout, ["ID", "FUNCTION", "VERSION", "STATE", "STARTED (UTC)", "NAME"], rows)


def _collect(filters: ExecutionFilters, limit: int) -> list[ExecutionSummary]:
    found: list[ExecutionSummary] = []
    cursor = None
    while True:
        page = list_executions(filters, cursor, min(MAX_PAGE, limit - len(found)))
        found += page.items
        cursor = page.next_cursor
        if cursor is None or len(found) >= limit:
            return found
