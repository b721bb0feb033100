"""`manage.py load_demo --executions 200` or `manage.py load_demo --executions 1000000 --bulk`"""

import time
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import Count

from durable_ops.costs import ledger
from durable_ops.management import demo
from durable_ops.management.corridor import command_actor, print_json, progress
from durable_ops.serve.people import make_demo_people
from execution_engine.management.base import DatabaseCommand
from execution_engine.models import Execution
from execution_engine.selectors.activity import EPOCH
from execution_engine.testing import bulk

LARGEST = 10_000_000


class Command(DatabaseCommand):
    help = (
        "Fill a database with executions to look at: the examples, really executed on a clock that starts in the past, in every state that "
        "lasts and of every age; workers go on with them. With --bulk the rows are copied past the engine, a million in a few minutes, for "
        "speed tests only. Refuses to run in production."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--executions", type=int, default=100, help="how many (default 100)")
        parser.add_argument("--bulk", action="store_true", help="copy rows of made-up functions, which nobody can invoke")
        parser.add_argument("--operations", type=int, default=10, help="with --bulk: mean number of operations of each (default 10)")
        parser.add_argument("--history", type=int, default=10_000, help="with --bulk: how many of the newest get events (default 10000)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same executions")
        parser.add_argument("--json", action="store_true", help="print what was written as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("This is a production database (DATABASE_URL without DURABLE_LOCAL): demo data stays out of it.")
        if not 1 <= options["executions"] <= LARGEST:
            raise CommandError(f"--executions takes 1 to {LARGEST}, not {options['executions']}.")
        begun = time.monotonic()
        written = self._bulk(options) if options["bulk"] else self._stories(options)
        with connection.cursor() as cursor:
            ledger.rewind(cursor, EPOCH)  # ends in the past lie behind what the ledger has looked at
        seconds = round(time.monotonic() - begun, 1)
        if options["json"]:
            print_json(self.stdout, {**written, "seconds": seconds})
        else:
            self.stdout.write(", ".join(f"{number} {what}" for what, number in written.items()) + f" in {seconds} s")

    def _stories(self, options: dict[str, Any]) -> dict[str, int]:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # the examples would mail people who do not exist
        make_demo_people()
        told = demo.stories(options["executions"], options["seed"], command_actor(None))
        try:
            ids = list(progress(told, total=options["executions"], unit="execution"))
        except LookupError as error:
            raise CommandError(str(error)) from error
        found = Execution.objects.filter(id__in=ids).values_list("status").annotate(number=Count("id"))
        return {"executions": len(ids), **{str(status).lower(): number for status, number in found.order_by("status")}}

    def _bulk(self, options: dict[str, Any]) -> dict[str, int]:
        if not 1 <= options["operations"] <= len(bulk.OPERATION_IDS):
            raise CommandError(f"--operations takes 1 to {len(bulk.OPERATION_IDS)}, not {options['operations']}.")
        written = {"executions": 0, "operations": 0, "events": 0}
        connection.ensure_connection()
        with psycopg.connect(connection.connection.info.dsn) as own, progress(None, total=options["executions"], unit="execution") as bar:
            batches = bulk.fill(
                own, options["executions"], operations_each=options["operations"], history=options["history"], seed=options["seed"]
            )
            for batch in batches:
                bar.update(batch.executions)
                for what in written:
                    written[what] += getattr(batch, what)
        return written
