"""Every example can be started in the console, over REST and from the command line."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.durable_ops.examples.test_readme import INPUTS
from tests.scenarios.conftest import PASSWORD
from tests.scenarios.program import Program
from tests.serving import Serving

pytestmark = pytest.mark.slow


def goes_well(program: Program, execution_id: str, function: str, event: Any) -> bool:
    execution = program.execution(execution_id)
    return (execution["function"], execution["input"], execution["error"]) == (function, event, None)


@pytest.mark.parametrize(("function", "event"), INPUTS.items(), ids=INPUTS)
def test_example_starts_over_rest(program: Program, function: str, event: Any) -> None:
    assert goes_well(program, program.start(function, event), function, event)


@pytest.mark.parametrize(("function", "event"), INPUTS.items(), ids=INPUTS)
def test_example_starts_from_the_command_line(serving: Serving, program: Program, function: str, event: Any) -> None:
    started = json.loads(serving.manage("start_execution", function, "--input", json.dumps(event), "--json"))
    assert goes_well(program, started["id"], function, event)


def test_examples_start_in_the_console(page: Page, serving: Serving, program: Program) -> None:
    page.goto(f"{serving.address}/executions/start/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for name, event in INPUTS.items():
        page.goto(f"{serving.address}/executions/start/?function={name}")
        # A function that says what it wants has a form; any input can be written as JSON.
        as_json = page.get_by_role("button", name="Edit as JSON")
        if as_json.is_visible():
            as_json.click()
        page.get_by_label("Input JSON").fill(json.dumps(event))
        page.get_by_role("button", name="Start execution").click()
        page.wait_for_url(re.compile(r"/executions/[0-9a-f-]{36}/"))
        execution_id = page.url.rstrip("/").rpartition("/")[2]
        assert goes_well(program, execution_id, name, event)
