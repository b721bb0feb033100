"""`manage.py start_execution expense-approval --input-csv expenses.csv`"""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from durable_ops.actions import executions as actions
from durable_ops.actions.executions import StartedExecution
from durable_ops.management.corridor import (
    add_user_argument,
    command_actor,
    json_argument,
    print_json,
    progress,
    refusals_end_the_command,
)
from durable_ops.management.csv_inputs import CsvError, read_inputs
from execution_engine.management.base import DatabaseCommand, seconds_above_zero
from execution_engine.models import Execution

# One transaction each: few enough that a stop loses little, many enough that commits do not matter.
BATCH = 100
LOOK_SECONDS = 0.2
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"})


class Command(DatabaseCommand):
    help = (
        "Start one execution of a durable function, or one per row of a CSV file: the header gives the keys of the input object, "
        "a cell that is a JSON number becomes a number, an empty one null, any other text stays text. "
        "Exit code 0 when all were started (with --wait: when all succeeded), 1 otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("function", help="name of the durable function")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--input", metavar="JSON", help="the input as JSON text")
        source.add_argument("--input-file", metavar="FILE", help="a file with the input as JSON; - is standard input")
        source.add_argument("--input-csv", metavar="FILE", help="a CSV file in UTF-8, one execution per row")
        parser.add_argument("--version", dest="function_version", metavar="V", help="version of the function (default: the latest)")
        parser.add_argument("--name", help="name of the execution: starting again with the same name and input starts nothing new")
        parser.add_argument("--wait", action="store_true", help="wait until everything that was started has ended")
        parser.add_argument("--timeout", type=seconds_above_zero, metavar="SECONDS", help="with --wait: give up after this time")
        parser.add_argument("--json", action="store_true", help="print what was started as JSON")
        add_user_argument(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Django's own --version would shadow the function's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *_: Any, **options: Any) -> None:
        actor = command_actor(options["user"])
        if options["input_csv"] and options["name"]:
            raise CommandError("--name is for one execution; rows of a CSV file get names of their own.")
        with refusals_end_the_command():
            started = self._start_rows(actor, options) if options["input_csv"] else [self._start_one(actor, options)]
        statuses = self._wait([one.id for one in started], options["timeout"]) if options["wait"] else {}
        self._report(started, statuses, options)
        still_open = sum(status not in ENDED for status in statuses.values())
        unsuccessful = sum(status != "SUCCEEDED" for status in statuses.values()) - still_open
        if unsuccessful:
            raise CommandError(f"{unsuccessful} of {len(statuses)} did not succeed.")
        if still_open:
            raise CommandError(f"{still_open} of {len(statuses)} had not ended after {options['timeout']:g} s; they go on.")

    def _start_one(self, actor: Any, options: dict[str, Any]) -> StartedExecution:
        text = json_argument(options, "input")
        version, name = options["function_version"], options["name"]
        return actions.start_execution(actor, function=options["function"], input=text, version=version, name=name)

    def _start_rows(self, actor: Any, options: dict[str, Any]) -> list[StartedExecution]:
        try:
            inputs = read_inputs(Path(options["input_csv"]))
        except (OSError, CsvError) as error:
            words = error.strerror if isinstance(error, OSError) else error
            raise CommandError(f"{options['input_csv']}: {words}") from error
        started: list[StartedExecution] = []
        with progress(None, total=len(inputs), unit="execution") as bar:
            for first in range(0, len(inputs), BATCH):
                rows = inputs[first : first + BATCH]
                started += actions.start_executions(actor, function=options["function"], inputs=rows, version=options["function_version"])
                bar.update(len(rows))
        return started

    def _wait(self, ids: list[UUID], timeout: float | None) -> dict[UUID, str]:
        """The last seen status of each; those still open when the time is over keep theirs."""
        give_up = None if timeout is None else time.monotonic() + timeout
        seen: dict[UUID, str] = dict.fromkeys(ids, "RUNNING")
        with progress(None, total=len(ids), unit="ended") as bar:
            while True:
                still_open = [one for one, status in seen.items() if status not in ENDED]
                bar.update(len(ids) - len(still_open) - bar.n)
                if not still_open or (give_up is not None and time.monotonic() > give_up):
                    return seen
                time.sleep(LOOK_SECONDS)
                seen |= dict(Execution.objects.filter(id__in=still_open).values_list("id", "status"))

    def _report(self, started: list[StartedExecution], statuses: dict[UUID, str], options: dict[str, Any]) -> None:
        if options["json"]:
            rows = [
                {"id": str(one.id), "arn": one.arn, "name": one.name, "version": one.version, "created": one.created}
                | ({"status": statuses[one.id]} if statuses else {})
                for one in started
            ]
            print_json(self.stdout, rows if options["input_csv"] else rows[0])
        elif options["input_csv"]:
            self.stdout.write(f"Started {len(started)} executions of {options['function']}.")
            for status in sorted(set(statuses.values())):
                self.stdout.write(f"  {status}: {list(statuses.values()).count(status)}")
        else:
            one = started[0]
            verb = "Started" if one.created else "Already there:"
            self.stdout.write(f"{verb} {one.id} ({options['function']} version {one.version}, name {one.name})")
            if statuses:
                self.stdout.write(statuses[one.id])
