"""The same functions, decorated by AWS's own SDK after a change of their import line, leave the same histories."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from execution_engine import register
from tests.conformance import functions
from tests.conformance.lines import assert_history, history_lines
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import IN_MEMORY
from tests.conformance.test_memory import play

pytest.importorskip("aws_durable_execution_sdk_python")
# Only our decorator takes a timeout; for functions of AWS's it is given at `register`.
TIMEOUTS = {"too_slow": 1}
# That SDK sends STARTs together with what follows and drops those still queued at the end: when they get away is a matter of
# milliseconds, and so is what a death after the second checkpoint finds recorded.
COMPARABLE = [scenario for scenario in IN_MEMORY if scenario.name not in ("gives_up", "at_least_once")]


@pytest.fixture(scope="module")
def converted() -> ModuleType:
    path = Path(functions.__file__)
    source = path.read_text().replace("from execution_engine import (", "from tests.conformance.aws_names import (")
    source = source.replace("@durable_execution(execution_timeout=ONE_SECOND)", "@durable_execution")
    module = ModuleType("converted_functions")
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """That SDK logs every failure that a scenario is about."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scenario", COMPARABLE, ids=lambda scenario: scenario.name)
def test_history_is_the_same(converted: ModuleType, scenario: Scenario) -> None:
    name = f"aws-{scenario.name}"
    definition = register(getattr(converted, scenario.name), name=name, execution_timeout=TIMEOUTS.get(scenario.name))
    assert definition.kind == "aws"
    execution = play(replace(scenario, handler=name))
    assert_history(history_lines(execution.events), scenario.lines)
    assert execution.status == scenario.status
    if scenario.status == "SUCCEEDED":
        assert execution.get_result() == scenario.result
