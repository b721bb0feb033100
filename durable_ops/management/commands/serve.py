"""`manage.py serve`: everything in one command, for a laptop, a demo or a small server."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from durable_ops import env
from durable_ops.serve.children import die_with_parent
from durable_ops.serve.people import DemoPerson
from durable_ops.serve.stack import Choices, Stack, default_children, free_port, is_ready
from execution_engine.conf import engine_settings

PATIENCE_SECONDS = 60.0


class Command(BaseCommand):
    help = "Start database, broker, web server and worker, and keep them running until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, help="port to listen on (default PORT, else 8000; 0 takes a free one)")
        parser.add_argument("--workers", type=int, default=default_children(), help="children of the Celery worker (default: cores)")
        parser.add_argument("--threads", type=int, help="handler threads per child (default DURABLE_THREADS, else 64)")
        parser.add_argument("--no-demo", action="store_true", help="no examples, and demo people only if DEMO_PASSWORD is set")

    def handle(self, *args: Any, **options: Any) -> None:
        if env.boolean("DURABLE_FOLLOW_PARENT"):
            die_with_parent(signal.SIGTERM, os.getppid())  # `make run`: a killed make stops everything too
        choices = self._choices(options)
        stack = Stack(choices, settings.LAYOUT, self._say)
        try:
            people = stack.start()
            self._introduce(people, choices)
            stack.supervisor.run(_Announcement(self, choices))
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(f"The database at DATABASE_URL does not answer: {error}") from error
        finally:
            if stack.supervisor.stopping:
                self._say("stopping")
            stack.stop()
        self._say("stopped")

    def _choices(self, options: dict[str, Any]) -> Choices:
        port = env.integer("PORT", 8000, minimum=0, maximum=65535) if options["port"] is None else options["port"]
        threads = engine_settings().THREADS if options["threads"] is None else options["threads"]
        for name, value, least, most in (("port", port, 0, 65535), ("workers", options["workers"], 1, 1000), ("threads", threads, 1, 1024)):
            if not least <= value <= most:
                raise CommandError(f"--{name} takes {least} to {most}, not {value}.")
        return Choices(
            host=options["host"],
            port=port or free_port(options["host"]),
            children=options["workers"],
            threads=threads,
            demo=not options["no_demo"],
            demo_password=env.text("DEMO_PASSWORD"),
            database_url=settings.DATABASE_URL,
            broker_url=env.text("CELERY_BROKER_URL"),
            project=Path(sys.argv[0]).resolve().parent,  # of manage.py, whichever project this is
        )

    def _introduce(self, people: list[DemoPerson], choices: Choices) -> None:
        self._say(f"data and logs in {settings.DATA_DIR}")
        if not choices.is_loopback:
            self._say(f"listening on {choices.host}: other machines can reach this over plain HTTP")
        if people and choices.demo_password:
            self._say(f"demo people {', '.join(person.name for person in people)} sign in with DEMO_PASSWORD")
        elif people:
            self._say("demo people, shown only this once:")
            for person in people:
                self.stdout.write(f"    {person.name:<10} {person.password:<16} {person.role}")
        self.stdout.flush()

    def _say(self, message: str) -> None:
        self.stdout.write(f"durable-ops: {message}")
        self.stdout.flush()

    def announce(self, choices: Choices) -> None:
        self._say(f"ready at {choices.address}  (Ctrl-C stops everything)")

    def complain(self) -> None:
        self._say(f"still waiting for web, database and a worker; look into {settings.LAYOUT.logs}")


class _Announcement:
    """Prints the address once `/healthz` answers 200, and says after a while that it does not."""

    def __init__(self, command: Command, choices: Choices) -> None:
        self._command = command
        self._choices = choices
        self._complain_at = time.monotonic() + PATIENCE_SECONDS
        self._announced = False

    def __call__(self) -> None:
        if self._announced:
            return
        if is_ready(self._choices):
            self._announced = True
            self._command.announce(self._choices)
        elif time.monotonic() > self._complain_at:
            self._complain_at += PATIENCE_SECONDS
            self._command.complain()
