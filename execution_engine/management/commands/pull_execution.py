"""`manage.py pull_execution ID`: a stored execution as a pytest that shows what it does, away from its database."""

import json
import re
from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.invocation.rehearsal import stored
from execution_engine.management.base import DatabaseCommand
from execution_engine.sdk.registry import find_function
from execution_engine.testing.recorded import Mask, RecordedExecution

HEAD = '''"""{function} {id} was {status}{because}.

Pulled by `manage.py pull_execution`. {what}
"""

from pathlib import Path
{imports}
from execution_engine.sdk.registry import find_function
from execution_engine.testing import {names}

RECORDED = Path(__file__).with_suffix(".json")


def test_{slug}() -> None:
    recorded = RecordedExecution.from_json(RECORDED.read_text())
    function = find_function(recorded.function, recorded.version) or find_function(recorded.function)
    assert function is not None, "import the module that registers it"
'''
GOES_ON = """    execution = DurableExecutionTestClient(start_at=recorded.latest_at).resume(function, recorded)
    execution.run_until_complete()
    execution.get_result()
"""
WHAT_GOES_ON = """What is recorded is not done again; the code after it runs for real, so
replace what must not happen in a test. It fails until the function ends well with this history."""
REPLAYS = """    replay(function, recorded)
"""


class Command(DatabaseCommand):
    help = "Writes an execution's history as a failing pytest: test_<name>.py and its data beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution", type=UUID, help="the execution's id")
        parser.add_argument("--output", type=Path, default=Path("tests"), help="folder of the two files (default: tests)")
        parser.add_argument("--mask", help="dotted path of mask(where, text) -> text, applied to every payload")

    def handle(self, *_: Any, **options: Any) -> None:
        recorded = _recorded(options["execution"])
        if options["mask"]:
            recorded = recorded.masked(_mask(options["mask"]))
        slug = re.sub(r"\W+", "_", f"{recorded.function}_{str(recorded.id)[-12:]}").lower()
        folder: Path = options["output"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"test_{slug}.json").write_text(recorded.to_json() + "\n")
            (folder / f"test_{slug}.py").write_text(_test(recorded, slug))
        except OSError as error:
            raise CommandError(f"--output {folder}: {error.strerror}") from error
        self.stdout.write(str(folder / f"test_{slug}.py"))


def _test(recorded: RecordedExecution, slug: str) -> str:
    """Of a good execution its replay, of every other one a test that fails until the function ends well."""
    error, is_good = recorded.error, recorded.status is ExecutionStatus.SUCCEEDED
    because = "" if error is None else ": " + json.dumps(f"{error.type}: {error.message}"[:200])[1:-1]
    known = find_function(recorded.function, recorded.version) or find_function(recorded.function)
    module = getattr(known.handler, "__module__", None) if known is not None else None
    imports = f"\nimport {module}  # noqa: F401 - registers it" if module else ""
    if is_good:
        what, names, body = "It replays without effects: the code must still do what is recorded.", "RecordedExecution, replay", REPLAYS
    else:
        what, names, body = WHAT_GOES_ON, "DurableExecutionTestClient, RecordedExecution", GOES_ON
    values = {"function": recorded.function, "id": recorded.id, "status": recorded.status, "because": because, "slug": slug}
    return HEAD.format(**values, what=what, imports=imports, names=names) + body


def _recorded(execution_id: UUID) -> RecordedExecution:
    try:
        history = stored.read(execution_id).history
    except ExecutionNotFoundError as error:
        raise CommandError(str(error)) from error
    return RecordedExecution(**{field.name: getattr(history, field.name) for field in fields(history)})


def _mask(path: str) -> Mask:
    try:
        found: Mask = import_string(path)
    except ImportError as error:
        raise CommandError(f"--mask: {error}") from error
    if not callable(found):
        raise CommandError(f"--mask: {path} is no mask(where, text)")
    return found
