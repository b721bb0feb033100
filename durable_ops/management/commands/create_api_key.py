"""`manage.py create_api_key --user admin --name billing --scopes start_execution,view_execution --functions 'payments-*'`"""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.utils import timezone

from durable_ops.actions import api_keys
from durable_ops.actions.api_keys import KeyLimits, NewKey
from durable_ops.management.corridor import command_actor, find_user, print_json, refusals_end_the_command
from execution_engine.management.base import DatabaseCommand

LONGEST_DAYS = 3650


class Command(DatabaseCommand):
    help = "Make an API key that acts with a person's rights, or with fewer. The key is shown once; only its SHA-256 is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="the person whose rights the key has")
        parser.add_argument("--name", required=True, help="what the key is for, 1 to 100 characters")
        parser.add_argument(
            "--scopes",
            type=_words,
            default=(),
            metavar="RIGHT,...",
            help="rights it is limited to, as durable_ops/docs/access.md names them (default: all)",
        )
        parser.add_argument("--functions", type=_words, default=(), metavar="PATTERN,...", help="functions it is limited to, as payments-*")
        parser.add_argument("--expires-days", dest="days", type=_days, metavar="DAYS", help="days until it ends (default: never)")
        parser.add_argument("--for-aws", action="store_true", help="also for AWS's clients, which sign: kept encrypted with SECRET_KEY")
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--quiet", action="store_true", help="print the key and nothing else")
        output.add_argument("--json", action="store_true", help="print key, prefix, name, user, end and limits as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        user, days = find_user(options["user"]), options["days"]
        expires_at = timezone.now() + timedelta(days=days) if days is not None else None
        limits = KeyLimits(options["scopes"], options["functions"])
        with refusals_end_the_command():
            new = api_keys.create_key(
                command_actor(None), user=user, name=options["name"], expires_at=expires_at, limits=limits, for_aws=options["for_aws"]
            )
        if options["quiet"]:
            self.stdout.write(new.secret)
        elif options["json"]:
            print_json(self.stdout, _facts(new, options["user"]))
        elif options["for_aws"]:
            self.stdout.write(f"AWS_ACCESS_KEY_ID={new.access_key_id}\nAWS_SECRET_ACCESS_KEY={new.secret}")
        else:
            self.stdout.write(f"Key of {options['user']} for {new.key.name}, shown only now:\n\n    {new.secret}\n")
            self.stdout.write("Send it as: Authorization: Bearer KEY")


def _facts(new: NewKey, user: str) -> dict[str, Any]:
    key = new.key
    return {
        "key": new.secret,
        "prefix": key.prefix,
        "name": key.name,
        "user": user,
        "expires_at": key.expires_at and key.expires_at.isoformat(),
        "scopes": key.scopes,
        "functions": key.functions,
        **({"access_key_id": new.access_key_id, "secret_access_key": new.secret} if key.signing_secret else {}),
    }


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_DAYS):
        raise ArgumentTypeError(f"takes 1 to {LONGEST_DAYS} days, not {text!r}")
    return int(text)
