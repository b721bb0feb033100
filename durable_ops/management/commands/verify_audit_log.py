"""`manage.py verify_audit_log --expect 1200:HASH`"""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError

from durable_ops.audit.verify import Verified, verify
from durable_ops.management.corridor import print_json, progress
from execution_engine.management.base import DatabaseCommand, number_from_one


class Command(DatabaseCommand):
    help = (
        "Read the sealed chain over the audit log again and name the first entry or seal that is wrong. Write down the anchor that it "
        "prints, outside this database: only with it can a later run tell that the end was cut off or everything computed anew. "
        "Exit code 0 when the chain holds, 1 when it is broken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--newest", type=number_from_one, metavar="N", help="only the newest N links; the one before is taken as it stands"
        )
        parser.add_argument(
            "--expect", action="append", default=[], type=_anchor, metavar="POSITION:HASH", help="an anchor of before; repeatable"
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        with progress(None, total=0, unit="link") as bar:

            def watch(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            found = verify(newest=options["newest"], anchors=dict(options["expect"]), watch=watch)
        if options["json"]:
            print_json(self.stdout, found.to_json())
        else:
            self._print(found)
        if found.broken is not None:
            raise CommandError(f"The audit log is broken: {found.broken.words} [{found.broken.code}]")

    def _print(self, found: Verified) -> None:
        span = f", {found.first} to {found.last}" if found.checked else ""
        self.stdout.write(f"{found.checked} links read{span}")
        if found.last:
            self.stdout.write(f"anchor: {found.anchor}  (sealed {found.sealed_at:%Y-%m-%d %H:%M:%S} UTC)")
        if found.tail.count:
            self.stdout.write(f"not sealed yet: {found.tail.count}, the oldest of {found.tail.oldest_at:%Y-%m-%d %H:%M:%S} UTC")
        if found.eras > 1:
            self.stdout.write(f"the database was restored from a dump {found.eras - 1} times since the first seal")
        if not found.is_protected:
            self.stdout.write("this database role could change the tables: see protect_audit_log")


def _anchor(text: str) -> tuple[int, str]:
    position, _, digest = text.strip().partition(":")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ArgumentTypeError(f"{text!r} is no anchor: it is POSITION:HASH, as this command prints it")
    return number_from_one(position), digest
