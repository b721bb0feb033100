"""`manage.py backfill_schedule nightly-report --start 2026-11-01 --end 2026-11-08 --dry-run`"""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from durable_ops.actions import schedules as actions
from durable_ops.management.corridor import command_actor, print_json, refusals_end_the_command
from durable_ops.management.schedules import OneScheduleCommand, moment
from durable_ops.models import Right


class Command(OneScheduleCommand):
    help = (
        "Start the firings of a range that is over, whatever is open, but for those that were started before: at most 1,000 at once and "
        "366 days back, all in one commit. --dry-run counts them. Exit code 1 when it was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--start", type=moment, required=True, metavar="MOMENT", help="included; UTC where no offset is given")
        parser.add_argument("--end", type=moment, required=True, metavar="MOMENT", help="included; a day alone is its first moment")

    def handle(self, *_: Any, **options: Any) -> None:
        actor, start, end = command_actor(options["user"]), options["start"], options["end"]
        with refusals_end_the_command():
            row = actions.find_named(actor, options["schedule"], Right.MANAGE_SCHEDULES)
            if options["dry_run"]:
                started, firings = None, actions.backfill_count(row, start, end, timezone.now())
            else:
                started, firings = actions.backfill_schedule(actor, row.id, start, end, reason=options["reason"])
        note = None if firings else actions.why_none(row, start, end)
        if options["json"]:
            ids = None if started is None else [str(one) for one in started]
            print_json(self.stdout, {"firings": firings, "note": note, "started": ids})
            return
        if started is None:
            self.stdout.write(f"{firings} firings; those that were started before would be left out")
        else:
            self.stdout.write(f"started {len(started)} of {firings} firings")
        if note:
            self.stdout.write(note)
