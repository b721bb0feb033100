"""`manage.py show_execution ID --history` or `manage.py show_execution ID --follow`"""

import json
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from durable_ops.api.serializers import answers, executions
from durable_ops.management.corridor import parse_execution_id, print_json, print_table, printable, refusals_end_the_command
from durable_ops.texts import json_text
from execution_engine.core.enums import ExecutionStatus
from execution_engine.management.base import DatabaseCommand
from execution_engine.selectors.executions import get_execution, get_payloads
from execution_engine.selectors.history import list_events
from execution_engine.selectors.operations import list_operations

PAGE = 1000
LOOK_SECONDS = 0.5
SHOWN = {
    "id": "id", "arn": "arn", "function": "function", "version": "version", "name": "name", "status": "status", "state_label": "state",
    "state_reason": "why", "status_text": "says", "started_at": "started", "ended_at": "ended",
}  # fmt: skip


class Command(DatabaseCommand):
    help = (
        "Show one execution: what it is doing and why, its operations, input, result and error. With --follow its history is printed as it "
        "happens, until the execution ends; exit code 1 when it did not succeed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution_id", metavar="ID")
        parser.add_argument("--history", action="store_true", help="show every event as well")
        parser.add_argument("--follow", action="store_true", help="print events as they happen, until the execution ends")
        parser.add_argument(
            "--json", action="store_true", help="print the answer of REST as JSON, with operations; with --follow one event per line"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        execution_id = parse_execution_id(options["execution_id"])
        if options["follow"]:
            self._follow(execution_id, as_json=options["json"])
            return
        with refusals_end_the_command():
            shown = executions.execution_detail(get_execution(execution_id), get_payloads(execution_id))
        operations = [executions.operation(one) for one in list_operations(execution_id)]
        events = _all_events(execution_id) if options["history"] else []
        if options["json"]:
            print_json(self.stdout, {**shown, "operations": operations} | ({"history": events} if options["history"] else {}))
            return
        self._print_head(shown)
        self.stdout.write("")
        rows = [
            [o["type"], o["name"] or "", o["status"], str(o["attempt"] or ""), o["started_at"], o["ended_at"] or ""] for o in operations
        ]
        print_table(self.stdout, ["TYPE", "NAME", "STATUS", "ATTEMPT", "STARTED", "ENDED"], rows)
        if events:
            self.stdout.write("")
            lines = [[str(e["EventId"]), e["EventTimestamp"], e["EventType"], e.get("Name", "")] for e in events]
            print_table(self.stdout, ["EVENT", "TIME", "TYPE", "NAME"], lines)

    def _print_head(self, shown: dict[str, Any]) -> None:
        for name, word in SHOWN.items():
            if shown[name] not in (None, ""):
                self.stdout.write(f"{word:10}{printable(str(shown[name]))}")
        for name in ("input", "result"):
            if shown[name] is not None:
                self.stdout.write(f"{name:10}{printable(json_text.compact(shown[name]))}")
        if error := shown["error"]:
            self.stdout.write(printable(f"{'error':10}{error.get('ErrorType') or 'Error'}: {error.get('ErrorMessage') or ''}"))
            for line in "\n".join(error.get("StackTrace") or ()).splitlines():
                self.stdout.write(printable(f"{'':10}{line}"))

    def _follow(self, execution_id: UUID, *, as_json: bool) -> None:
        """The status is read before the events: the last look finds the last event."""
        last = 0
        while True:
            with refusals_end_the_command():
                summary = get_execution(execution_id).summary
            for event in _all_events(execution_id, after=last):
                last = event["EventId"]
                line = f"{last:>6}  {event['EventTimestamp']}  {event['EventType']:26}{event.get('Name', '')}".rstrip()
                self.stdout.write(printable(json.dumps(event, ensure_ascii=False) if as_json else line))
            self.stdout.flush()
            if summary.state.code.is_terminal:
                break
            time.sleep(LOOK_SECONDS)
        if summary.status != ExecutionStatus.SUCCEEDED:
            raise CommandError(f"{execution_id} ended {summary.status}.")


def _all_events(execution_id: UUID, *, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = list_events(execution_id, after=found[-1]["EventId"] if found else after, limit=PAGE)
        found += [answers.plain(event) for event in page]
        if len(page) < PAGE:
            return found
