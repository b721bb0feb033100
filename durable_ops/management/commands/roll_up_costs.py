"""Books the costs of executions that have ended, at once; workers do the same every two seconds."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime, time
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.db import connection
from django.utils.dateparse import parse_date

from durable_ops.costs import ledger
from execution_engine.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = "Books what ended executions used. With --since looks again at everything that ended since that day (UTC)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="DAY", help="2026-10-01; what is booked already stays as it is")
        parser.add_argument("--json", action="store_true", help='{"looked_at": number of ends}')

    def handle(self, *_: Any, since: str | None, **options: Any) -> None:
        if since is not None:
            with connection.cursor() as cursor:
                ledger.rewind(cursor, self._start(since))
        looked_at = 0
        with connection.cursor() as cursor:
            own: psycopg.Connection[Any] = cursor.connection
            while count := ledger.turn(own, behind=0):
                looked_at += count
                if self.stdout.isatty():
                    self.stdout.write(f"\r{looked_at:,} ends looked at", ending="")
        self._tell(looked_at, as_json=options["json"])

    def _start(self, text: str) -> datetime:
        try:
            day = parse_date(text)
        except ValueError:
            day = None
        if day is None:
            raise CommandError(f"--since {text!r} is no day like 2026-10-01")
        return datetime.combine(day, time(), UTC)

    def _tell(self, looked_at: int, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"looked_at": looked_at}))
        elif self.stdout.isatty():
            self.stdout.write("\nEvery end is booked.")
