"""What is committed, and what it must not say."""

import re
import subprocess
from pathlib import Path

import pytest

TOP_LEVEL = {
    "manage.py", "requirements.txt", "durable_ops", "execution_engine", "templates", "static", "tests", "README.md", "CHANGELOG.md",
    "SECURITY.md", "LICENSE", "Makefile", "pyproject.toml",
}  # fmt: skip

# A letter in brackets here and there keeps this file from finding itself.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(w[o]rk|r[o]ot|h[o]me|U[s]ers)/\w",
    "a host packages come from": r"(files\.pythonh[o]sted|py[p]i\.org|registry\.n[p]mjs)",
    "how the text came to be": r"(?i)(co-authored[-]by|generated (by|with) an? (ai|llm)|/tmp/t[e]am|\.\./sh[a]red)",
}
WITHOUT_TEXT = {".png", ".webp", ".ico", ".woff2", ".gz", ".br", ".svg"}


@pytest.fixture(scope="module")
def committed(repository: Path) -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git work tree")
    return [name for name in answer.stdout.splitlines() if (repository / name).exists()]


def test_top_level_holds_only_what_belongs_there(committed: list[str]) -> None:
    assert {name.split("/")[0] for name in committed if not name.startswith(".")} - TOP_LEVEL == set()


def test_nothing_committed_names_where_it_was_made(repository: Path, committed: list[str]) -> None:
    found = []
    for name in committed:
        if name.startswith("static/vendor/") or Path(name).suffix in WITHOUT_TEXT:
            continue
        text = (repository / name).read_text(errors="replace")
        found += [f"{name} names {what}: {match.group()}" for what, pattern in FORBIDDEN.items() if (match := re.search(pattern, text))]
    assert found == []


def test_sql_takes_its_time_as_a_parameter(repository: Path) -> None:
    """`now()` is the start of the transaction, which may lie long before a lock was granted; Python's clock never decides."""
    statements = [path for path in (repository / "execution_engine" / "journal").rglob("*") if path.suffix in {".sql", ".py"}]
    calls = re.compile(r"(?<!\.)\b(now\(\)|current_timestamp|localtimestamp|transaction_timestamp)", re.IGNORECASE)
    found = [f"{path.name}: {line.strip()}" for path in statements for line in path.read_text().splitlines() if calls.search(line)]
    assert found == []
