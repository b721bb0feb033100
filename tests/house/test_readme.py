"""What the README shows works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from execution_engine.testing import DurableExecutionTestClient

READ_BY = ("durable_ops/settings.py", "durable_ops/management/commands/serve.py")
# Handed down by `make run` to `serve`; nothing for people to set.
INTERNAL = {"DURABLE_FOLLOW_PARENT"}


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text()


def python_block(readme: str, words: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    block = next(block for block in blocks if words in block)
    indent = re.match(r" *", block)
    return re.sub(rf"(?m)^{indent[0] if indent else ''}", "", block)


def test_first_example_refunds_after_approval(readme: str) -> None:
    names: dict[str, Any] = {"load_order": lambda key: {"id": key}, "pay_back": lambda order: {"receipt": f"R-{order['id']}"}}
    exec(python_block(readme, "def refund"), names)
    execution = DurableExecutionTestClient().start_execution(names["refund"], {"order_id": "O-1"})
    execution.get_pending_approvals()[0].decide(True, "ada")
    assert execution.get_result() == {"status": "refunded", "receipt": "R-O-1"}


def test_the_first_test_of_an_author_passes(readme: str, repository: Path, tmp_path: Path) -> None:
    """In a process of its own, as in a project of one's own: without settings, database or plugins."""
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/durable_functions.py").write_text(python_block(readme, "def greet"))
    (tmp_path / "orders/test_orders.py").write_text(python_block(readme, "def test_the_boss"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", str(tmp_path)]
    environment |= {"PYTHONPATH": f"{tmp_path}{os.pathsep}{repository}"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_every_variable_is_explained(repository: Path) -> None:
    page = (repository / "durable_ops/docs/settings.md").read_text()
    reader = re.compile(r'env\.(?:text|boolean|integer|money|names|networks|path)\("(\w+)"')
    read = {name for file in READ_BY for name in reader.findall((repository / file).read_text())}
    explained = set(re.findall(r"`([A-Z_]+)`", page))
    assert read - INTERNAL - explained == set()


def test_every_command_exists(readme: str) -> None:
    ours = {name for name, app in get_commands().items() if app in {"durable_ops", "execution_engine"}}
    assert set(re.findall(r"manage\.py (\w+)", readme)) - {"help", "migrate", "startapp"} <= ours


def test_links_lead_somewhere(repository: Path) -> None:
    broken = []
    for page in [repository / "README.md", *repository.glob("[dest]*/README.md"), *repository.glob("[de]*/docs/*.md")]:
        targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in target]
        broken += [f"{page.relative_to(repository)}: {target}" for target in targets if target and not (page.parent / target).exists()]
    assert broken == []
