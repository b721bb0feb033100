"""The pages for integrators and administrators say what the code does."""

import re
from pathlib import Path

from durable_ops.models import Right
from durable_ops.roles import ROLES
from tests.durable_ops.api.test_access import EXPECTED, ROUTES


def test_rest_page_has_every_call(repository: Path) -> None:
    page = (repository / "durable_ops/docs/rest.md").read_text()
    found = set(re.findall(r"^\| `(GET|POST|PATCH|DELETE) /([^`]*)`", page, re.MULTILINE))
    paths = {name: str(ROUTES[name].pattern) for name in EXPECTED if name != "schema"}
    plain = {name: re.sub(r"<\w+:(?:execution_id|pk)>", "{id}", path) for name, path in paths.items()}
    spelt = {name: re.sub(r"<\w+:(\w+)>", r"{\1}", path) for name, path in plain.items()}
    assert found == {(method, spelt[name]) for name in spelt for method in EXPECTED[name]}


def test_access_page_has_the_table_of_rights(repository: Path) -> None:
    page = (repository / "durable_ops/docs/access.md").read_text()
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)`[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", page, re.MULTILINE)}
    shown = {right: [cell.strip() == "yes" for cell in cells] for right, cells in rows.items()}
    assert shown == {right.value: [right in ROLES[role] for role in ROLES] for right in Right}
