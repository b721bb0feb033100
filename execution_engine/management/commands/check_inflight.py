"""`manage.py check_inflight`: a deploy gate. Run it with the new code before the first worker has it."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandError

from execution_engine.invocation.rehearsal.rehearse import DEFAULT_SECONDS
from execution_engine.management.base import DatabaseCommand, number_from_one, seconds_above_zero
from execution_engine.selectors.inflight import Checked, DeployCheck, Scope, VersionCheck, check_open, count_candidates, summarise


class Command(DatabaseCommand):
    help = (
        "Rehearse open executions against the code that is loaded here, without effects: which fit, which would diverge and where. "
        "Looks at executions that ran with code of another fingerprint. Exits with 1 when an open execution would diverge, fail, hang, "
        "or find no code at all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", action="append", default=[], help="only this function; may be repeated")
        parser.add_argument("--all", action="store_true", help="every open execution, also where the fingerprint is the same")
        parser.add_argument("--sample", type=number_from_one, metavar="N", help="at most N executions of each version, the latest started")
        parser.add_argument(
            "--seconds", type=seconds_above_zero, default=DEFAULT_SECONDS, help="how long one rehearsal may take (default: %(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        scope = Scope(tuple(options["function"]), options["all"], options["sample"], options["seconds"])
        wanted = count_candidates(scope)
        found = summarise(scope, _counted(check_open(scope), wanted), wanted)
        if options["json"]:
            self.stdout.write(json.dumps(_document(found), indent=2))
        else:
            self._print(found)
        if found.breaking:
            raise CommandError(f"{found.breaking} open executions do not fit the code that is loaded here.")

    def _print(self, found: DeployCheck) -> None:
        for version in found.versions:
            verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(version.verdicts.items())) or "not looked at, same code"
            self.stdout.write(f"{version.function} version {version.version}: {version.open} open, {verdicts}")
            for one in version.problems:
                self.stdout.write(f"  {one.execution_id}  {one.rehearsal.verdict}: {one.rehearsal.summary}")
        if not found.versions:
            self.stdout.write("Nothing is open.")


def _counted(checked: Iterable[Checked], wanted: int) -> Iterator[Checked]:
    """On a terminal, how far it is."""
    shows = sys.stderr.isatty()
    for number, one in enumerate(checked, start=1):
        if shows:
            sys.stderr.write(f"\r{number} of {wanted} executions rehearsed")
        yield one
    if shows and wanted:
        sys.stderr.write("\n")


def _document(found: DeployCheck) -> dict[str, Any]:
    """Keys breaking, versions; of a version function, version, open, checked, breaking, verdicts, problems."""
    return {"breaking": found.breaking, "versions": [_version(one) for one in found.versions]}


def _version(one: VersionCheck) -> dict[str, Any]:
    numbers = {"open": one.open, "checked": one.checked, "breaking": one.breaking}
    names = {"function": one.function, "version": one.version}
    return {**names, **numbers, "verdicts": one.verdicts, "problems": [_problem(checked) for checked in one.problems]}


def _problem(one: Checked) -> dict[str, Any]:
    return {"execution": str(one.execution_id), "name": one.name, **one.rehearsal.to_document()}
