"""`manage.py show_execution ID --history`"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from durable_ops import json_text
from durable_ops.api.serializers import answers
from durable_ops.management.corridor import parse_execution_id, print_json, print_table, printable, refusals_end_the_command
from execution_engine.selectors.executions import get_execution, get_payloads
from execution_engine.selectors.history import list_events
from execution_engine.selectors.operations import list_operations

PAGE = 1000
SHOWN = ("id", "arn", "function", "version", "name", "status", "state_label", "state_reason", "status_text", "started_at", "ended_at")


class Command(BaseCommand):
    help = "Show one execution: what it is doing and why, its operations, input, result and error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution_id", metavar="ID")
        parser.add_argument("--history", action="store_true", help="show every event as well")
        parser.add_argument("--json", action="store_true", help="print the answer of REST as JSON, with operations")

    def handle(self, *_: Any, **options: Any) -> None:
        execution_id = parse_execution_id(options["execution_id"])
        with refusals_end_the_command():
            shown = answers.execution_detail(get_execution(execution_id), get_payloads(execution_id))
        operations = [answers.operation(one) for one in list_operations(execution_id)]
        events = _all_events(execution_id) if options["history"] else []
        if options["json"]:
            print_json(self.stdout, {**shown, "operations": operations} | ({"history": events} if options["history"] else {}))
            return
        for name in SHOWN:
            if shown[name] not in (None, ""):
                self.stdout.write(f"{name.replace('_', ' '):14}{shown[name]}")
        for name in ("input", "result", "error"):
            if shown[name] is not None:
                self.stdout.write(f"{name:14}{printable(json_text.compact(shown[name]))}")
        self.stdout.write("")
        rows = [
            [o["type"], o["name"] or "", o["status"], str(o["attempt"] or ""), o["started_at"], o["ended_at"] or ""] for o in operations
        ]
        print_table(self.stdout, ["TYPE", "NAME", "STATUS", "ATTEMPT", "STARTED", "ENDED"], rows)
        if events:
            self.stdout.write("")
            lines = [[str(e["EventId"]), e["EventTimestamp"], e["EventType"], e.get("Name", "")] for e in events]
            print_table(self.stdout, ["EVENT", "TIME", "TYPE", "NAME"], lines)


def _all_events(execution_id: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = list_events(execution_id, after=found[-1]["EventId"] if found else 0, limit=PAGE)
        found += [answers.plain(event) for event in page]
        if len(page) < PAGE:
            return found
