"""The determinism lint finds what differs on replay, and nothing else."""

import importlib
import importlib.util
import textwrap
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from execution_engine.sdk import registry
from execution_engine.sdk.lint import Finding, findings_of
from execution_engine.sdk.registry import describe, durable_execution
from tests.execution_engine.sdk.lint.snippets import FLAGGED, NAMES, UNFLAGGED

HEAD = "def work():\n    return 1\n\n\ndef handler(event, context):\n"
ROOT = Path(__file__).resolve().parents[4]
# Before any test has a registry of its own: what is first imported then would be missing for the tests that follow.
for name in ("durable_ops.examples.durable_functions", "tests.crash.functions", "tests.races.functions"):
    importlib.import_module(name)
REGISTERED = registry.registered_functions()


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"linted_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lint(folder: Path, snippet: str, head: str = NAMES) -> list[Finding]:
    body, blank, after = snippet.partition("\n\n\n")
    text = f"{head}\n\n{HEAD}{textwrap.indent(body, '    ')}\n{blank}{after}\n"
    path = folder / f"m{sha256(text.encode()).hexdigest()[:16]}.py"
    path.write_text(text)
    return findings_of(describe(load(path).handler))


@pytest.mark.parametrize(("rule", "snippet"), FLAGGED, ids=[snippet for _, snippet in FLAGGED])
def test_what_differs_on_replay_is_flagged(tmp_path: Path, rule: str, snippet: str) -> None:
    assert {finding.id for finding in lint(tmp_path, snippet)} == {f"durable.{rule}"}


@pytest.mark.parametrize("snippet", UNFLAGGED)
def test_what_is_the_same_on_replay_is_not_flagged(tmp_path: Path, snippet: str) -> None:
    assert lint(tmp_path, snippet) == []


def test_a_finding_says_where_what_and_what_instead(tmp_path: Path) -> None:
    found = lint(tmp_path, "a = 1\nreturn [\n    uuid4(),\n]", "from uuid import uuid4")
    assert [(f.line, f.problem, f.instead.partition(",")[0]) for f in found] == [
        (10, "uuid4() in handler gives another value on every replay", "use context.uuid() or context.random()")
    ]


def test_every_breach_is_found_by_line(tmp_path: Path) -> None:
    found = lint(tmp_path, "a = uuid4()\nb = time.time()\nc = uuid4()\ntime.sleep(1)")
    assert [finding.id[-4:] for finding in found] == ["W002", "W001", "W002", "W005"]


def test_a_method_of_a_handler_class_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "classes.py"
    path.write_text(
        "import time\n\nclass Handler:\n    def __call__(self, event, context):\n        return self.stamp()\n\n"
        "    def stamp(self):\n        return time.time()\n"
    )
    assert [finding.line for finding in findings_of(describe(load(path).Handler()))] == [8]


def test_a_nested_handler_and_a_lambda_are_read() -> None:
    import time

    @durable_execution(name="nested")
    def nested(event: Any, context: Any) -> float:
        return time.time()

    assert [finding.id for finding in findings_of(nested.definition)] == ["durable.W001"]
    assert [finding.id for finding in findings_of(describe(lambda event, context: time.time()))] == ["durable.W001"]


def test_aws_handlers_are_told_of_steps_only() -> None:
    from aws_durable_execution_sdk_python import durable_execution as aws_durable_execution

    @aws_durable_execution
    def handler(event: Any, context: Any) -> float:
        import time

        return time.time()

    found = findings_of(registry.register(handler, name="of-aws"))
    assert [(finding.id, "context.now" in finding.instead) for finding in found] == [("durable.W001", False)]


def test_plain_functions_and_code_without_source_are_not_read() -> None:
    import time

    assert findings_of(registry.register(lambda event, context: time.time(), name="plain", durable=False)) == []
    names: dict[str, Any] = {}
    exec("import time\ndef handler(event, context): return time.time()", names)
    assert findings_of(describe(names["handler"])) == []


@pytest.mark.parametrize("module", ["durable_ops.examples", "tests.crash.functions", "tests.races.functions"])
def test_our_own_functions_raise_no_alarm(module: str) -> None:
    ours = [function for function in REGISTERED if function.handler.__module__.startswith(module)]
    assert ours
    assert [finding for function in ours for finding in findings_of(function)] == []
