"""`manage.py preview_schedule "30 2 * * *" --timezone Europe/Berlin`"""

from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand

from durable_ops.api.serializers import answers
from durable_ops.management.corridor import print_json, refusals_end_the_command
from durable_ops.management.schedules import shown
from execution_engine.selectors.schedules import preview


class Command(BaseCommand):
    help = "Show the next ten moments of a rule before it is saved: a cron line of five fields, or an interval in seconds from now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rule", metavar="RULE", help="a cron line in quotes, or seconds")
        parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="IANA name, for cron lines (default UTC)")
        parser.add_argument("--json", action="store_true", help="print the moments as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        with refusals_end_the_command():
            moments = preview(options["rule"], options["timezone"])
        if options["json"]:
            print_json(self.stdout, {"moments": [answers.plain(one) for one in moments]})
            return
        zone = ZoneInfo(options["timezone"])
        for one in moments:
            self.stdout.write(f"{shown(one)} UTC  {one.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}")
