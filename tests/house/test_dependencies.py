"""Installed into another project, the packages find what they import: the engine alone, and with the console."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

# Imported where they are there, and said so: AWS's own SDK beside ours, pytest by its plugin.
OPTIONAL = {"aws_durable_execution_sdk_python", "pytest"}
# Comes with another one, which could not do without: Celery's own processes.
COMES_WITH = {"billiard": "celery"}


def imported(app: Path) -> set[str]:
    names: set[str] = set()
    for path in app.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"execution_engine", "durable_ops"} - OPTIONAL


def spelt(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


@pytest.mark.parametrize(("app", "extras"), [("execution_engine", []), ("durable_ops", ["console"])])
def test_what_is_imported_is_declared(repository: Path, app: str, extras: list[str]) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    declared = {spelt(one) for one in project["dependencies"]}
    declared |= {spelt(one) for extra in extras for one in project["optional-dependencies"][extra]}
    homes = packages_distributions()
    found = {name: {spelt(one) for one in homes.get(name, [COMES_WITH.get(name, name)])} for name in imported(repository / app)}
    assert [name for name, packages in found.items() if not packages & declared and COMES_WITH.get(name) not in declared] == []
