"""The maps of the tree name every module, and no page names a file that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = (".py", ".sql", ".html", ".css", ".js", ".md", ".toml", ".txt")
# Of the reader's own project, or of AWS's.
THEIRS = {"orders/durable_functions.py", "orders/test_orders.py", "shop/settings.py", "test-requirements/", "8_2.py", "conf_8_2.py"}


def packages(app: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders as the map writes them, each with its modules."""
    for folder in [app, *sorted(path for path in app.rglob("*") if path.is_dir() and path.name != "migrations")]:
        modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
        if modules and "migrations" not in folder.parts:
            yield f"{folder.relative_to(app)}/", modules


@pytest.mark.parametrize("name", ["execution_engine", "durable_ops"])
def test_the_map_names_every_module(repository: Path, name: str) -> None:
    page = (repository / name / "README.md").read_text()
    rows = re.findall(r"^\| `([\w./]+/)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    shown = {folder: re.findall(r"`(\w+)`", modules) for folder, modules in rows}
    assert shown == dict(packages(repository / name))


def test_the_map_of_the_tests_names_every_folder(repository: Path) -> None:
    page = (repository / "tests/README.md").read_text()
    named = set(re.findall(r"`(\w+)/`", "".join(row.split(" | ")[0] for row in page.splitlines() if row.startswith("| `"))))
    assert named == {path.name for path in (repository / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}


def test_every_file_that_a_page_names_exists(repository: Path) -> None:
    """By its path, or by its last parts where the page speaks of one folder."""
    roots = [repository / name for name in ("execution_engine", "durable_ops", "templates", "static", "tests")]
    files = [path for root in roots for path in root.rglob("*") if "__pycache__" not in path.parts]
    there = {f"/{path.relative_to(repository)}{'/' if path.is_dir() else ''}" for path in (*roots, *files, *repository.glob("*.*"))}
    missing = []
    for page in pages(repository):
        for name in re.findall(r"`([\w./-]+)`", page.read_text()):
            is_file = name.endswith(SOURCE) or (name.endswith("/") and name[0] not in "/.")
            if is_file and name not in THEIRS and not any(one.endswith(f"/{name.removeprefix('./')}") for one in there):
                missing.append(f"{page.relative_to(repository)}: {name}")
    assert missing == []


def pages(repository: Path) -> list[Path]:
    return [*repository.glob("*.md"), *repository.glob("[det]*/**/README.md"), *repository.glob("[de]*/docs/*.md")]
