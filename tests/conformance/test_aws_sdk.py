"""The same functions, decorated by AWS's own SDK after a change of their import line, leave the same histories."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from tests.conformance import branch_functions, functions
from tests.conformance.lines import assert_history, history_lines
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import IN_MEMORY, is_exact_of_aws
from tests.conformance.test_memory import play

pytest.importorskip("aws_durable_execution_sdk_python")
COMPARABLE = [scenario for scenario in IN_MEMORY if is_exact_of_aws(scenario)]


@pytest.fixture(scope="module")
def converted() -> dict[str, ModuleType]:
    from tests.conformance.converted import as_aws

    return {module.__name__: as_aws(module) for module in (functions, branch_functions)}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """That SDK logs every failure that a scenario is about."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scenario", COMPARABLE, ids=lambda scenario: scenario.name)
def test_history_is_the_same(converted: dict[str, ModuleType], scenario: Scenario) -> None:
    from tests.conformance.converted import register_as_aws

    name = register_as_aws(getattr(converted[scenario.handler.__module__], scenario.name))
    execution = play(replace(scenario, handler=name))
    assert_history(history_lines(execution.events), scenario.lines)
    assert execution.status == scenario.status
    if scenario.status == "SUCCEEDED":
        assert execution.get_result() == scenario.result
