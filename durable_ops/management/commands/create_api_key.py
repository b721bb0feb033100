"""`manage.py create_api_key --user admin --name billing`"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from durable_ops.actions import api_keys
from durable_ops.management.corridor import command_actor, find_user, print_json, refusals_end_the_command


class Command(BaseCommand):
    help = "Make an API key that acts with a person's rights. The key is shown once; only its SHA-256 is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="the person whose rights the key has")
        parser.add_argument("--name", required=True, help="what the key is for, 1 to 100 characters")
        parser.add_argument("--expires-days", type=int, metavar="N", help="days until it ends (default: never)")
        parser.add_argument("--for-aws", action="store_true", help="AWS's SDKs and CLI can sign with it; it is kept encrypted for that")
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--quiet", action="store_true", help="print the key and nothing else")
        output.add_argument("--json", action="store_true", help="print key, prefix, name, user and end as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        user, days, for_aws = find_user(options["user"]), options["expires_days"], options["for_aws"]
        expires_at = timezone.now() + timedelta(days=days) if days is not None else None
        with refusals_end_the_command():
            new = api_keys.create_key(command_actor(None), user=user, name=options["name"], expires_at=expires_at, for_aws=for_aws)
        if options["quiet"]:
            self.stdout.write(new.secret)
        elif options["json"]:
            ends = expires_at and expires_at.isoformat()
            made = {"key": new.secret, "prefix": new.key.prefix, "name": new.key.name, "user": options["user"], "expires_at": ends}
            pair = {"access_key_id": new.access_key_id, "secret_access_key": new.secret} if for_aws else {}
            print_json(self.stdout, made | pair)
        else:
            self.stdout.write(f"Key of {options['user']} for {new.key.name}, shown only now:\n\n    {new.secret}\n")
            self.stdout.write("Send it as: Authorization: Bearer KEY")
            if for_aws:
                self.stdout.write(f"Or sign with: AWS_ACCESS_KEY_ID={new.access_key_id} AWS_SECRET_ACCESS_KEY={new.secret}")
