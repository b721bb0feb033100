"""ruff and mypy, as everybody runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

FORMAT = ["ruff", "format", "--check", "--quiet", "."]


@pytest.mark.parametrize("arguments", [["ruff", "check", "--quiet", "."], FORMAT, ["mypy"]], ids=["check", "format", "mypy"])
def test_linter_has_nothing_to_say(repository: Path, arguments: list[str]) -> None:
    answer = subprocess.run([sys.executable, "-m", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
