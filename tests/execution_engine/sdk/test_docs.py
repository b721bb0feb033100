"""Every Python example of the author's documentation runs, and every method of the context has one."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import execution_engine
from execution_engine import DurableContext, DurableFunction, RetryPresets
from execution_engine.core.enums import InvocationStatus, OperationType
from execution_engine.sdk import registry
from tests.execution_engine.sdk.journal import Journal

DOCS = Path(execution_engine.__file__).parent / "docs"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
STUBS: dict[str, Any] = {
    "create_account": lambda email: {"id": 7, "email": email},
    "send_mail": lambda to, text: None,
    "save_booking": lambda event: 5,
    "send_to_bank": lambda id_: None,
    "is_report_ready": lambda job: True,
    "save_user": lambda email: 1,
    "no_retry": RetryPresets.none,
}
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_of_a_page_run(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registry, "_functions", {})
    names: dict[str, Any] = dict(STUBS, __name__="documentation", SHARED=str(tmp_path))
    for block in BLOCK.findall(path.read_text()):
        exec(compile(block, str(path), "exec"), names)
    for name, found in list(names.items()):
        if isinstance(found, DurableFunction):
            assert run_to_end(found).status is InvocationStatus.SUCCEEDED, name
        if name.startswith("test_"):
            found()


def run_to_end(function: DurableFunction) -> Any:
    """Answers what it asks for, else skips to its next timer."""
    journal = Journal(function, '{"email": "ada@example.com"}')
    journal.signals = [("review", '{"verdict": "fine"}')]
    while (outcome := journal.invoke()).status is InvocationStatus.PENDING:
        if any(record.type is OperationType.CALLBACK and not record.is_terminal for record in journal.durable.values()):
            journal.answer('{"action": "approved"}')
        else:
            journal.skip()
    return outcome


def test_every_public_method_of_the_context_is_explained() -> None:
    explained = (DOCS / "methods.md").read_text()
    methods = [name for name, _ in inspect.getmembers(DurableContext) if not name.startswith("_")]
    assert [name for name in methods if name not in explained and name not in ("execution_context", "lambda_context")] == []
