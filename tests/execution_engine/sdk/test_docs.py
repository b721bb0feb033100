"""Every example of the author's documentation runs, every method has its page, and the tables say what the code says."""

import builtins
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from celery import current_app

import execution_engine
from execution_engine import DurableContext, DurableFunction, RetryPresets, conf, testing, with_retry
from execution_engine.sdk import definition, durations, extras, failures, key, registry
from execution_engine.sdk.lint import findings_of, rules
from execution_engine.sdk.registry import registered_functions
from execution_engine.services import checks, signals
from execution_engine.testing import DurableExecutionTestClient

DOCS = Path(execution_engine.__file__).parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


class NoCarLeft(Exception):
    pass


class OutOfStock(Exception):
    pass


def book(part: str, key: object) -> str:
    if part == "car":
        raise NoCarLeft("no car left")
    return f"{part} is booked"


def reserve(items: list[str]) -> None:
    if "unicorn" in items:
        raise OutOfStock("unicorns are sold out")


cancelled: list[str] = []
STUBS: dict[str, Any] = {
    "create_account": lambda email: {"id": 7, "email": email},
    "send_mail": lambda to, text: None,
    "save_booking": lambda event: 5,
    "send_to_bank": lambda id_: None,
    "is_report_ready": lambda job: True,
    "save_user": lambda email: 1,
    "no_retry": RetryPresets.none,
    "find_people": lambda event: ["ada", "bob", "cem"],
    "book": book,
    "cancel": lambda part, key: cancelled.append(part),
    "cancelled": cancelled,
    "NoCarLeft": NoCarLeft,
    "charge_card": lambda order: "R-1",
    "hold_payment": lambda order, key: str(key),
    "reserve": reserve,
    "release": lambda payment: None,
    "refund": lambda payment: None,
    "put_back": lambda items: None,
    "ship_order": lambda order: "P-1",
}
EVENT = {
    "email": "ada@example.com", "id": "O-1", "items": ["mug", "cup"], "amount": 120,
    "order": {"id": "O-1", "items": ["mug"], "email": "ada@example.com"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


@pytest.fixture(autouse=True)
def own_tasks() -> Iterator[None]:
    yield
    for name in [name for name in current_app.tasks if name.startswith("documentation.")]:
        del current_app.tasks[name]


def run_page(path: Path, folder: Path) -> tuple[dict[str, Any], list[str]]:
    names: dict[str, Any] = dict(STUBS, __name__="documentation", SHARED=str(folder))
    blocks = BLOCK.findall(path.read_text())
    for number, block in enumerate(blocks):
        file = folder / f"{path.stem}_{number}.py"
        file.write_text(block)  # a file, so that the lint can read it
        exec(compile(block, str(file), "exec"), names)
    return names, blocks


def calls_of(test: Any) -> Iterator[tuple[Any, ...]]:
    """The arguments of a test function, also of a parametrised one."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    yield from (marks[0].args[1] if marks else [()])


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_of_a_page_run(path: Path, tmp_path: Path) -> None:
    names, blocks = run_page(path, tmp_path)
    for name, found in list(names.items()):
        if isinstance(found, DurableFunction):
            assert run_to_end(found) == "SUCCEEDED", name
        if name.startswith("test_"):
            for arguments in calls_of(found):
                found(*arguments)
    assert blocks or path.name in ("misbehaviour.md", "choosing.md", "limits.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_of_a_page_keep_to_determinism(path: Path, tmp_path: Path) -> None:
    run_page(path, tmp_path)
    assert [finding for function in registered_functions() for finding in findings_of(function)] == []


def run_to_end(function: DurableFunction) -> str:
    """Answers what it asks for, else skips to its next timer."""
    client = DurableExecutionTestClient()
    execution = client.start_execution(function, EVENT)
    for _ in range(50):
        if execution.status != "RUNNING":
            break
        if pending := execution.get_pending_callbacks():
            pending[0].complete({"action": "approved"})
        elif approvals := execution.get_pending_approvals():
            approvals[0].decide(True, by="ada")
        elif waiting := [one.name for one in execution.operations if one.sub_type == "Signal" and not one.is_terminal]:
            execution.signal(waiting[0], {"verdict": "fine", "action": "approve"})
        else:
            execution.run_until_complete()
    return str(execution.status)


def test_celery_s_side_does_the_same(tmp_path: Path) -> None:
    names, _ = run_page(DOCS / "migrate-from-celery.md", tmp_path)
    order = {"id": "O-1", "items": ["mug", "cup"]}
    expected = ["shipped O-1/mug", "shipped O-1/cup"]
    assert DurableExecutionTestClient().start_execution(names["fulfil_order"], order).get_result() == expected
    charged = names["charge_task"].apply(args=[order]).get()
    packed = [names["pack_task"].apply(args=[charged, item]).get() for item in order["items"]]
    assert names["ship_task"].apply(args=[packed]).get() == expected


def test_every_public_method_of_the_context_is_explained() -> None:
    explained = "\n".join(page.read_text() for page in PAGES)
    methods = [name for name, _ in inspect.getmembers(DurableContext) if not name.startswith("_")]
    assert [name for name in (*methods, with_retry.__name__) if f"{name}" not in explained] == []


def test_every_argument_of_the_decorator_is_explained() -> None:
    index, plugins = (DOCS / "README.md").read_text(), (DOCS / "plugins.md").read_text() + (DOCS / "payloads.md").read_text()
    arguments = set(inspect.signature(execution_engine.durable_execution).parameters) - {"func", "boto3_client"}
    assert [name for name in arguments if f"| `{name}` |" not in index and f"{name}=" not in plugins] == []


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    assert [page.name for page in PAGES if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_error_that_a_page_names_can_be_imported(path: Path) -> None:
    named = set(re.findall(r"`(\w+Error)\b", BLOCK.sub("", path.read_text())))
    assert {name for name in named if not any(hasattr(module, name) for module in (execution_engine, testing, builtins))} == set()


def test_every_rule_of_the_lint_is_listed() -> None:
    listed = set(re.findall(r"`(durable\.W\d+)`", (DOCS / "determinism.md").read_text()))
    assert listed == {value.id for value in vars(rules).values() if isinstance(value, rules.Rule)}


def test_the_table_of_settings_is_the_code_s() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) ?\| ", (DOCS / "limits.md").read_text(), re.MULTILINE)
    expected = []
    for field in fields(conf.EngineSettings):
        bounds = conf._BOUNDS.get(field.name)
        shown = "none" if field.default in ("", ()) else str(field.default)
        expected.append((field.name, shown, f"{bounds[0]} to {bounds[1]}" if bounds else ""))
    assert rows == expected


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("a wait", durations.MAX_WAIT_SECONDS),
        ("`execution_timeout`", durations.MAX_WAIT_SECONDS),
        ("`invocation_timeout`", definition.MAX_INVOCATION_SECONDS),
        ("`retention`", definition.MAX_RETENTION_DAYS),
        ("timeout of a callback", durations.MAX_CALLBACK_SECONDS),
        ("name of an operation", key.MAX_NAME_CHARACTERS),
        ("name of a signal", signals.MAX_NAME_CHARACTERS),
        ("error object", checks.MAX_ERROR_BYTES // 1024),
        ("error object", failures.MESSAGE_CHARACTERS),
        ("error object", failures.STACK_TRACE_LINES),
        ("status text", extras.MAX_STATUS_CHARACTERS),
    ],
)
def test_a_limit_is_the_code_s(row: str, value: int) -> None:
    line = next(line for line in (DOCS / "limits.md").read_text().splitlines() if line.startswith(f"| {row}"))
    assert str(value) in re.findall(r"\d+", line)


def test_the_state_machine_and_the_function_take_the_same_ways() -> None:
    page = (DOCS / "migrate-from-step-functions.md").read_text()
    text = re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0]
    states = (machine := json.loads(text))["States"]
    leads = {name: set(re.findall(r'"(?:Next|Default)": "(\w+)"', json.dumps(one))) for name, one in states.items()}
    reached, ahead = set(), {machine["StartAt"]}
    while ahead:
        reached |= (now := ahead)
        ahead = {name for one in now for name in leads[one]} - reached
    assert reached == set(states)
    tasks = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name, one in states.items() if one["Type"] == "Task"}
    steps = set(re.findall(r'context\.step\("([\w-]+)"', BLOCK.findall(page)[0]))
    assert tasks - {"wait-for-fraud-review"} == steps
    assert 170 <= len(text.splitlines()) <= 190
    assert f"{len(text.splitlines())} lines" in page
