"""Nothing grows so large that nobody reads it whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FILE, TEST_FILE, FUNCTION, CLASS, TEMPLATE, STATEMENT = 400, 500, 50, 200, 120, 60

# What may be longer, with the reason. A line here needs a better reason than "it grew".
EXCEPTIONS: dict[str, str] = {}


def python_files(repository: Path) -> Iterator[Path]:
    for root in ("execution_engine", "durable_ops", "tests"):
        yield from (path for path in sorted((repository / root).rglob("*.py")) if "migrations" not in path.parts)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def too_long(path: Path, name: str) -> Iterator[str]:
    ceiling = TEST_FILE if name.startswith("tests/") else FILE
    if lines(path) > ceiling and name not in EXCEPTIONS:
        yield f"{name} has {lines(path)} lines, more than {ceiling}"
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length, ceiling = (node.end_lineno or node.lineno) - node.lineno + 1, CLASS if isinstance(node, ast.ClassDef) else FUNCTION
        if length > ceiling and f"{name}:{node.name}" not in EXCEPTIONS:
            yield f"{name}:{node.lineno} {node.name} has {length} lines, more than {ceiling}"


def test_python_sizes(repository: Path) -> None:
    found = [message for path in python_files(repository) for message in too_long(path, str(path.relative_to(repository)))]
    assert found == []


def test_statement_sizes(repository: Path) -> None:
    """But for `flush`: a group commit is one round trip."""
    found = {}
    for path in sorted((repository / "execution_engine/journal/sql").glob("*.sql")):
        _, *parts = re.split(r"^-- name: (\w+)\s*$", path.read_text(), flags=re.MULTILINE)
        found |= {name: len(text.strip().splitlines()) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    assert {name for name, length in found.items() if length > STATEMENT} == {"flush"}


def test_template_sizes(repository: Path) -> None:
    templates = [path for path in sorted((repository / "templates").rglob("*")) if path.is_file()]
    assert [f"{path.relative_to(repository)}: {lines(path)}" for path in templates if lines(path) > TEMPLATE] == []


def test_exceptions_are_still_needed(repository: Path) -> None:
    assert [name for name in EXCEPTIONS if not (repository / name.partition(":")[0]).exists()] == []
