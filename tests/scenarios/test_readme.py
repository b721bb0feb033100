"""The five minutes of operators, integrators, approvers and administrators: every command of the README, on the served product."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import REPOSITORY, Serving
from tests.waiting import PATIENCE

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SIGN_OF_A_MAIL = "$URL/a/"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(tmp_path_factory.mktemp("readme") / "data", "--workers", "1", "--threads", "8") as serving:
        yield serving


def test_the_commands_of_the_readme_do_what_it_says(serving: Serving) -> None:
    blocks = BLOCK.findall((REPOSITORY / "README.md").read_text())
    assert len(blocks) == 5
    text = "".join(patient(block, serving.data) for block in blocks)
    text = text.replace("http://127.0.0.1:8000", serving.address).replace(".data/", f"{serving.data}/")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=REPOSITORY, env={**serving.environment, "PATH": path}, capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would be redriven" in done.stdout
    assert '"function": "expense-approval"' in done.stdout
    assert "\nRUNNING\n" in done.stdout
    assert f"\n{serving.address}/a/" in done.stdout
    assert "links read" in done.stdout
    assert "Traceback" not in done.stderr


def patient(block: str, data: Path) -> str:
    """A reader takes longer than the worker needs for a mail; a script waits for it."""
    if SIGN_OF_A_MAIL not in block:
        return block
    return f"for _ in $(seq {PATIENCE * 10:.0f}); do ls {data}/mail/* >/dev/null 2>&1 && break; sleep 0.1; done\n{block}"
