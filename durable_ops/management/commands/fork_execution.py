"""`manage.py fork_execution ID --from-operation OPERATION_ID`"""

from argparse import ArgumentParser
from typing import Any

from durable_ops.actions import repairs as actions
from durable_ops.management.corridor import add_user_argument, command_actor, parse_execution_id, print_json, refusals_end_the_command
from execution_engine.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Start a new execution that begins with what another one had done before its failure, or before an operation. "
        "The old one is left as it is; what was open there begins anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution_id", metavar="ID")
        parser.add_argument("--from-operation", metavar="OPERATION_ID", help="the first operation that is not kept")
        parser.add_argument("--name", help="name of the new execution")
        parser.add_argument("--to-version", metavar="V", help="another version of the function")
        parser.add_argument("--reason", default="", help="why; kept in the audit log")
        parser.add_argument("--json", action="store_true", help="print the new execution as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        with refusals_end_the_command():
            forked = actions.fork_execution(
                command_actor(options["user"]),
                parse_execution_id(options["execution_id"]),
                reason=options["reason"],
                from_operation=options["from_operation"],
                name=options["name"],
                version=options["to_version"],
            )
        if options["json"]:
            print_json(self.stdout, {"id": str(forked.id), "name": forked.name, "version": forked.version, "kept": forked.kept})
        else:
            self.stdout.write(f"Started {forked.id} (version {forked.version}, name {forked.name}), {forked.kept} operations kept")
