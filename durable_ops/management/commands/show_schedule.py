"""`manage.py show_schedule nightly-report`"""

from argparse import ArgumentParser
from typing import Any

from durable_ops.actions import schedules as actions
from durable_ops.api.serializers import schedules as shapes
from durable_ops.management.corridor import add_user_argument, command_actor, print_json, refusals_end_the_command
from durable_ops.management.schedules import shown
from execution_engine.management.base import DatabaseCommand
from execution_engine.selectors.schedules import last_firings, next_firings


class Command(DatabaseCommand):
    help = "Show one schedule, by name or number, with its next ten moments (none while it is paused) and what came of the last ten."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schedule", metavar="SCHEDULE", help="its name, or its number")
        parser.add_argument("--json", action="store_true", help="print the answer of REST as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        actor = command_actor(options["user"])
        with refusals_end_the_command():
            row = actions.find_named(actor, options["schedule"])
        if options["json"]:
            print_json(self.stdout, shapes.schedule_detail(row, actor.access))
            return
        state = "paused" if row.is_paused else "on"
        self.stdout.write(f"{row.name} (number {row.id}), {state}: starts {row.function} {row.version or '(newest version)'}")
        self.stdout.write(f"{row.calendar.words}, {row.timezone}; overlap {row.overlap}, catch up {row.catch_up}, left out {row.skipped}")
        if row.last_error:
            self.stdout.write(f"The last firing started nothing: {row.last_error}")
        self.stdout.write("Next (UTC):")
        for at in next_firings(row):
            self.stdout.write(f"  {shown(at)}")
        self.stdout.write("Last (UTC):")
        for one in last_firings(row):
            came = one.execution.state.label if one.execution else "started nothing, or it is purged"
            self.stdout.write(f"  {shown(one.moment)}  {came}")
