"""What the examples' README tells people to type works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from durable_ops.examples import durable_functions
from execution_engine.testing import DurableExecutionTestClient

README = Path(durable_functions.__file__).with_name("README.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (\S+)\n.*?```json\n(.*?)\n```", README, flags=re.DOTALL | re.MULTILINE)
INPUTS = {name: json.loads(text) for name, text in SECTIONS}


def test_readme_shows_an_input_of_every_example() -> None:
    assert sorted(name.replace("-", "_") for name in INPUTS) == sorted(durable_functions.__all__)


@pytest.mark.django_db
@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(("function", "event"), INPUTS.items(), ids=INPUTS)
def test_shown_input_starts_its_example(client: DurableExecutionTestClient, function: str, event: dict[str, Any]) -> None:
    execution = client.start_execution(function, event)
    assert execution.status in ("RUNNING", "SUCCEEDED")
