"""ruff and mypy, as everybody runs them, and mypy as an author meets it."""

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

FORMAT = ["ruff", "format", "--check", "--quiet", "."]
# What a page leaves out, and what authors need not write; everything else is as strict as for us.
LENIENT = '# mypy: disable-error-code="name-defined,no-any-return", allow-any-generics, allow-untyped-defs, allow-untyped-decorators\n'


@pytest.mark.parametrize("arguments", [["ruff", "check", "--quiet", "."], FORMAT, ["mypy"]], ids=["check", "format", "mypy"])
def test_linter_has_nothing_to_say(repository: Path, arguments: list[str]) -> None:
    assert_silent(repository, arguments)


def test_the_examples_of_the_documentation_fit_our_types(repository: Path, tmp_path: Path) -> None:
    pages = [repository / "README.md", *sorted((repository / "execution_engine/docs").glob("*.md"))]
    for page in pages:
        blocks = [dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)]
        examples = [block for block in blocks if page.name != "README.md" or "@durable_execution" in block]
        (tmp_path / f"example_{page.parent.name}_{page.stem}.py".replace("-", "_")).write_text(LENIENT + "\n".join(examples))
    assert_silent(repository, ["mypy", *map(str, sorted(tmp_path.glob("*.py")))])


def test_both_packages_tell_type_checkers_that_they_are_typed(repository: Path) -> None:
    assert [(repository / package / "py.typed").exists() for package in ("execution_engine", "durable_ops")] == [True, True]


def assert_silent(repository: Path, arguments: list[str]) -> None:
    answer = subprocess.run([sys.executable, "-m", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
