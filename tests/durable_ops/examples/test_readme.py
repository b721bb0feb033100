"""What the examples' README tells people to type works."""

import json
import re
from pathlib import Path

import pytest

from durable_ops.examples import durable_functions
from execution_engine.testing import DurableExecutionTestClient

README = Path(durable_functions.__file__).with_name("README.md").read_text(encoding="utf-8")
INPUTS = re.findall(r"^## (\S+)\n.*?```json\n(.*?)\n```", README, flags=re.DOTALL | re.MULTILINE)


def test_readme_shows_an_input_of_every_example() -> None:
    assert sorted(name.replace("-", "_") for name, _ in INPUTS) == sorted(durable_functions.__all__)


@pytest.mark.django_db
@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(("function", "text"), INPUTS, ids=[name for name, _ in INPUTS])
def test_shown_input_starts_its_example(client: DurableExecutionTestClient, function: str, text: str) -> None:
    execution = client.start_execution(function, json.loads(text))
    assert execution.status in ("RUNNING", "SUCCEEDED")
