"""`manage.py send_signal ID NAME --payload '{"go": true}'`"""

from argparse import ArgumentParser
from typing import Any

from durable_ops.actions import executions as actions
from durable_ops.management.corridor import (
    add_json_arguments,
    add_user_argument,
    command_actor,
    json_argument,
    parse_execution_id,
    print_json,
    refusals_end_the_command,
)
from execution_engine.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Send a signal to an open execution. It is kept until the execution waits for that name. Exit code 1 when the execution has ended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution_id", metavar="ID")
        parser.add_argument("name", metavar="NAME", help="what the execution waits for")
        add_json_arguments(parser, "payload", "what the waiting code gets")
        parser.add_argument("--json", action="store_true", help="print id and signal as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        execution_id, name = parse_execution_id(options["execution_id"]), options["name"]
        payload = json_argument(options, "payload")
        with refusals_end_the_command():
            actions.send_signal(command_actor(options["user"]), execution_id, name=name, payload=payload)
        if options["json"]:
            print_json(self.stdout, {"id": str(execution_id), "signal": name})
        else:
            self.stdout.write(f"{execution_id}  signal {name} sent")
