"""`manage.py complete_callback CALLBACK_ID --result '{"paid": true}'`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from durable_ops.actions import approvals
from durable_ops.actions import callbacks as actions
from durable_ops.management.corridor import (
    add_json_arguments,
    add_user_argument,
    command_actor,
    json_argument,
    parse_execution_id,
    print_json,
    refusals_end_the_command,
)
from execution_engine.core.records import ErrorObject
from execution_engine.management.base import DatabaseCommand
from execution_engine.selectors.callbacks import pending_callbacks

_OF_A_PERSON = (
    "This callback is an approval, which a person decides: give --user NAME, somebody who is asked, and --result '{\"approved\": true}' or "
    "'{\"approved\": false}'; comment and fields may stand beside it."
)


class Command(DatabaseCommand):
    help = (
        "Answer a callback that an execution waits for: with a result (the default, none), an error, or a heartbeat. Name it by its id, or "
        "by --execution and, where that waits for several, --name. An approval is decided by a person: give --user and a result like "
        '{"approved": true}. Exit code 1 when it was answered already, ran out of time or does not exist.'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("callback_id", metavar="CALLBACK_ID", nargs="?")
        parser.add_argument("--execution", metavar="ID", help="the execution that waits, instead of the callback's id")
        parser.add_argument("--name", help="with --execution: name of the callback")
        add_json_arguments(parser, "result", "what the waiting code gets")
        parser.add_argument("--error", metavar="MESSAGE", help="fail it: the waiting code gets this raised")
        parser.add_argument("--error-type", metavar="TYPE", default="CallbackFailed", help="with --error (default CallbackFailed)")
        parser.add_argument("--heartbeat", action="store_true", help="only say that somebody is still at it")
        parser.add_argument("--json", action="store_true", help="print callback_id and outcome as JSON")
        add_user_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        actor, result = command_actor(options["user"]), json_argument(options, "result")
        if sum((result is not None, options["error"] is not None, options["heartbeat"])) > 1:
            raise CommandError("Give one of --result, --error and --heartbeat.")
        callback_id = _callback_id(options)
        if not options["user"] and not options["heartbeat"] and approvals.is_approval(callback_id):
            raise CommandError(_OF_A_PERSON)
        with refusals_end_the_command():
            if options["heartbeat"]:
                actions.heartbeat(actor, callback_id)
            elif options["error"] is not None:
                actions.fail(actor, callback_id, ErrorObject(message=options["error"], type=options["error_type"]))
            else:
                actions.succeed(actor, callback_id, result)
        outcome = "kept alive" if options["heartbeat"] else "failed" if options["error"] is not None else "succeeded"
        if options["json"]:
            print_json(self.stdout, {"callback_id": callback_id, "outcome": outcome})
        else:
            self.stdout.write(f"{callback_id}  {outcome}")


def _callback_id(options: dict[str, Any]) -> str:
    if bool(options["callback_id"]) == bool(options["execution"]):
        raise CommandError("Give either CALLBACK_ID or --execution.")
    if options["callback_id"]:
        return str(options["callback_id"])
    waiting = pending_callbacks(parse_execution_id(options["execution"]))
    found = [one for one in waiting if options["name"] in (None, one.name)]
    if len(found) == 1:
        return found[0].callback_id
    names = ", ".join(repr(one.name) for one in waiting) or "none"
    raise CommandError(f"{len(found)} callbacks match; this execution waits for: {names}.")
