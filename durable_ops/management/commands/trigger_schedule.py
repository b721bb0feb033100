"""`manage.py trigger_schedule nightly-report`"""

from typing import Any

from django.core.management.base import CommandError

from durable_ops.actions import schedules as actions
from durable_ops.management.corridor import command_actor, print_json, refusals_end_the_command
from durable_ops.management.schedules import OneScheduleCommand
from durable_ops.models import Right


class Command(OneScheduleCommand):
    help = (
        "Fire a schedule now, paused or not, whatever is open; its next moment stays as it is. "
        "Exit code 1 when it was refused, or has fired in this very second."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        actor = command_actor(options["user"])
        with refusals_end_the_command():
            row = actions.find_named(actor, options["schedule"], Right.MANAGE_SCHEDULES)
            if options["dry_run"]:
                if options["json"]:
                    print_json(self.stdout, {"name": None, "execution_id": None})
                else:
                    self.stdout.write(f"would start 1 execution of {row.function}")
                return
            execution_id, name = actions.trigger_schedule(actor, row.id, reason=options["reason"])
        if options["json"]:
            print_json(self.stdout, {"name": name, "execution_id": str(execution_id) if execution_id else None})
        elif execution_id:
            self.stdout.write(f"{execution_id}  {name}")
        if execution_id is None:
            raise CommandError(f"{name} was started already: a second fires once.")
