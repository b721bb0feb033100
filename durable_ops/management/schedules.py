"""What the commands for schedules share: naming them, their moments, printing them."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from durable_ops.actions import schedules as actions
from durable_ops.actions.actor import Actor
from durable_ops.management.corridor import add_user_argument, command_actor, print_json, refusals_end_the_command
from durable_ops.models import Right
from execution_engine.core.errors import CommandError as Refusal
from execution_engine.management.base import DatabaseCommand


class OneScheduleCommand(DatabaseCommand):
    """Acts on the schedule that its first argument names."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schedule", metavar="SCHEDULE", help="its name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would be")
        parser.add_argument("--reason", default="", help="why; kept in the audit log")
        parser.add_argument("--json", action="store_true", help="print the answer of REST as JSON")
        add_user_argument(parser)


class PausingCommand(DatabaseCommand):
    """Pauses or resumes every schedule that is named; a refusal of one does not keep the others from their turn."""

    is_paused = True
    done = "paused"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schedules", metavar="SCHEDULE", nargs="+", help="its name, or its number")
        parser.add_argument("--dry-run", action="store_true", help="only say which it would be")
        parser.add_argument("--reason", default="", help="why; kept in the audit log of each")
        parser.add_argument("--json", action="store_true", help="print name and outcome of each as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        actor, rows, refused = command_actor(options["user"]), [], 0
        with refusals_end_the_command():
            for name in dict.fromkeys(options["schedules"]):
                try:
                    rows.append({"name": name, "outcome": self._act(actor, name, options)})
                except Refusal as refusal:
                    refused += 1
                    rows.append({"name": name, "outcome": f"{refusal.message} [{refusal.code}]"})
        if options["json"]:
            print_json(self.stdout, rows)
        else:
            for row in rows:
                self.stdout.write(f"{row['name']}  {row['outcome']}")
        if refused:
            raise CommandError(f"{refused} of {len(rows)} were refused.")

    def _act(self, actor: Actor, name: str, options: dict[str, Any]) -> str:
        row = actions.find_named(actor, name, Right.MANAGE_SCHEDULES)
        if row.is_paused == self.is_paused:
            return f"was {'paused' if self.is_paused else 'not paused'} already"
        if options["dry_run"]:
            return f"would be {self.done}"
        actions.pause_schedule(actor, row.id, is_paused=self.is_paused, reason=options["reason"])
        return self.done


def moment(text: str) -> datetime:
    """For argparse: a moment with an offset, or without one in UTC."""
    try:
        found = parse_datetime(text) or parse_datetime(f"{text}T00:00:00")
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(f"takes a moment as 2026-11-21T09:00Z or a day as 2026-11-21, not {text[:50]!r}")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"
