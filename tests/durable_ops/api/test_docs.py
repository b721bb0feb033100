"""The pages for integrators and administrators say what the code does."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from durable_ops.approvals.errors import ApprovalRefusedError
from durable_ops.approvals.policy import Refusal
from durable_ops.models import Right
from durable_ops.roles import ROLES
from execution_engine.core.errors import CommandError
from tests.durable_ops.api.test_access import EXPECTED, ROUTES
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_key, make_user


def test_rest_page_has_every_call(repository: Path) -> None:
    page = (repository / "durable_ops/docs/rest.md").read_text()
    found = set(re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) /([^`]*)`", page, re.MULTILINE))
    paths = {name: str(ROUTES[name].pattern) for name in EXPECTED if name != "schema"}
    plain = {name: re.sub(r"<\w+:(?:execution_id|pk)>", "{id}", path) for name, path in paths.items()}
    spelt = {name: re.sub(r"<\w+:(\w+)>", r"{\1}", path) for name, path in plain.items()}
    assert found == {(method, spelt[name]) for name in spelt for method in EXPECTED[name]}


# Of doors and acts that REST has not got.
ELSEWHERE = {"illegal_transition", "in_transaction", "invalid_checkpoint_token", "invalid_parameter_value"}
ELSEWHERE |= {"person_not_found", "role_not_found", "role_taken", "last_administrator", "view_not_found"}


def test_rest_page_has_every_code(repository: Path) -> None:
    page = (repository / "durable_ops/docs/rest.md").read_text()
    rows = re.findall(r"^\| ([\d, ]+) \| (`.*) \|$", page[page.index("## Refusals") :], re.MULTILINE)
    found = {code: statuses for statuses, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    wanted = {error.code: str(error.status) for error in refusals(CommandError) if error.code not in ELSEWHERE}
    wanted |= {reason.value: str(ApprovalRefusedError(reason).status) for reason in Refusal}
    assert {code: status for code, status in wanted.items() if status not in found.get(code, "")} == {}


def refusals(kind: type[CommandError]) -> Iterator[type[CommandError]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith(("durable_ops", "execution_engine")):
            yield one
        yield from refusals(one)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_example_of_the_rest_page_runs(repository: Path, live_server: Any, tmp_path: Path) -> None:
    page = (repository / "durable_ops/docs/rest.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    register_function("expense-approval")
    shell = {"PATH": os.environ["PATH"], "URL": live_server.url, "KEY": make_key(make_user("administrator"))}
    before, after = "".join(blocks[:1]), "".join(blocks[1:])
    started = run(before + "echo; echo ID=$ID", shell, tmp_path)
    execution_id = re.findall(r"^ID=(\S+)$", started, re.MULTILINE)[0]
    open_callback(UUID(execution_id), heartbeat=60)
    functions = before[: before.index("# Start.")]
    run(functions + after, {**shell, "ID": execution_id}, tmp_path)
    assert (tmp_path / "executions.csv").read_text().count("expense-47") >= 3


def run(script: str, environment: dict[str, str], folder: Path) -> str:
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_access_page_has_the_table_of_rights(repository: Path) -> None:
    page = (repository / "durable_ops/docs/access.md").read_text()
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)`[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", page, re.MULTILINE)}
    shown = {right: [cell.strip() == "yes" for cell in cells] for right, cells in rows.items()}
    assert shown == {right.value: [right in ROLES[role] for role in ROLES] for right in Right}
