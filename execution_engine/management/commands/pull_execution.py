"""`manage.py pull_execution ID`: a stored execution as a pytest that shows what it does, away from its database."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.identifiers import execution_arn
from execution_engine.core.records import ErrorObject
from execution_engine.journal import connections, reader
from execution_engine.models import Execution
from execution_engine.testing.recorded import Mask, RecordedExecution

TEMPLATE = '''"""{function} {name} was {status}{because}.

Pulled by `manage.py pull_execution`. What is recorded is not done again; the code after it runs for real, so replace what
must not happen in a test. It fails until the function ends well with this history.
"""

from pathlib import Path

from execution_engine.sdk.registry import find_function
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution

RECORDED = Path(__file__).with_suffix(".json")


def test_{slug}() -> None:
    recorded = RecordedExecution.from_json(RECORDED.read_text())
    function = find_function(recorded.function)
    assert function is not None, "import the module that registers it"
    execution = DurableExecutionTestClient(start_at=recorded.latest_at).resume(function, recorded)
    execution.run_until_complete()
    execution.get_result()
'''


class Command(BaseCommand):
    help = "Writes an execution's history as a failing pytest: test_<name>.py and its data beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("execution", type=UUID, help="the execution's id")
        parser.add_argument("--output", type=Path, default=Path("tests"), help="folder of the two files (default: tests)")
        parser.add_argument("--mask", help="dotted path of mask(where, text) -> text, applied to every payload")

    def handle(self, *_: Any, **options: Any) -> None:
        recorded = _recorded(options["execution"])
        if options["mask"]:
            recorded = recorded.masked(_mask(options["mask"]))
        slug = re.sub(r"\W+", "_", f"{recorded.function}_{str(recorded.id)[:8]}").lower()
        folder: Path = options["output"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"test_{slug}.json").write_text(recorded.to_json() + "\n")
        error = recorded.error
        because = "" if error is None else ": " + json.dumps(f"{error.type}: {error.message}"[:200])[1:-1]
        test = TEMPLATE.format(function=recorded.function, name=recorded.id, status=recorded.status, because=because, slug=slug)
        (folder / f"test_{slug}.py").write_text(test)
        self.stdout.write(str(folder / f"test_{slug}.py"))


def _recorded(execution_id: UUID) -> RecordedExecution:
    row = Execution.objects.filter(id=execution_id).first()
    if row is None:
        raise CommandError(f"there is no execution {execution_id}")
    settings = engine_settings()
    with connections.connect("pull") as connection:
        operations = list(reader.load(connection, [execution_id])[execution_id].operations.values())
    return RecordedExecution(
        arn=execution_arn(settings.REGION, settings.ACCOUNT, row.function, row.version, row.name, row.id),
        id=row.id,
        function=row.function,
        started_at=row.started_at,
        status=ExecutionStatus(row.status),
        operations=operations,
        input=row.input,
        result=row.result,
        error=None if row.error is None else ErrorObject.from_wire(json.loads(row.error)),
    )


def _mask(path: str) -> Mask:
    try:
        found: Mask = import_string(path)
    except ImportError as error:
        raise CommandError(f"--mask: {error}") from error
    if not callable(found):
        raise CommandError(f"--mask: {path} is no mask(where, text)")
    return found
