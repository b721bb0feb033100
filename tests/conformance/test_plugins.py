"""What a plugin is told of every kind of operation, by our SDK and by AWS's own on our journal."""

import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from execution_engine.testing import DurableExecutionTestClient
from tests.conformance import plugin_functions

STORY = """
invocation first
Step flaky starts
  Step flaky runs, attempt 1
  Step flaky ran FAILED: no answer
invocation ends PENDING
invocation later Step flaky READY
Step flaky starts again
  Step flaky runs, attempt 2
  Step flaky ran SUCCEEDED
Step flaky ends SUCCEEDED
RunInChildContext large starts
  RunInChildContext large runs, attempt 1
  RunInChildContext large ran SUCCEEDED
RunInChildContext large ends SUCCEEDED
Map items starts
  Map items runs, attempt 1
MapIteration map-item-0 starts
  MapIteration map-item-0 runs, attempt 1
  MapIteration map-item-0 ran SUCCEEDED
MapIteration map-item-0 ends SUCCEEDED
MapIteration map-item-1 starts
  MapIteration map-item-1 runs, attempt 1
  MapIteration map-item-1 ran SUCCEEDED
MapIteration map-item-1 ends SUCCEEDED
  Map items ran SUCCEEDED
Map items ends SUCCEEDED
Map flat starts
  Map flat runs, attempt 1
  MapIteration map-item-0 runs, attempt 1
  MapIteration map-item-0 ran SUCCEEDED
MapIteration map-item-0 ends SUCCEEDED
  Map flat ran SUCCEEDED
Map flat ends SUCCEEDED
Wait pause starts
invocation ends PENDING
invocation later Wait pause SUCCEEDED
  RunInChildContext large runs, attempt None (children only)
  RunInChildContext large ran SUCCEEDED
RunInChildContext large ends SUCCEEDED again
Wait pause ends SUCCEEDED
Callback manager starts
invocation ends PENDING
invocation later Callback manager FAILED
  RunInChildContext large runs, attempt None (children only)
  RunInChildContext large ran SUCCEEDED
RunInChildContext large ends SUCCEEDED again
Callback manager ends FAILED: no
invocation ends FAILED
"""
# When a START is sent together with what follows, nobody sees it as a status of its own.
CHANGES = {
    "Step flaky": {"PENDING", "SUCCEEDED"},
    "RunInChildContext large": {"SUCCEEDED"},
    "Map items": {"SUCCEEDED"},
    "MapIteration map-item-0": {"SUCCEEDED"},
    "MapIteration map-item-1": {"SUCCEEDED"},
    "Map flat": {"SUCCEEDED"},
    "Wait pause": {"STARTED"},
    "Callback manager": {"STARTED"},
}


@pytest.fixture(params=["ours", "AWS's"])
def module(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """AWS's SDK logs every failure that the story is about."""
    if request.param == "ours":
        yield plugin_functions
        return
    pytest.importorskip("aws_durable_execution_sdk_python")
    from tests.conformance.converted import as_aws

    logging.disable(logging.ERROR)
    yield as_aws(plugin_functions)
    logging.disable(logging.NOTSET)


def name_of(module: ModuleType) -> Any:
    if module is plugin_functions:
        return module.watched
    from tests.conformance.converted import register_as_aws

    return register_as_aws(module.watched)


def test_every_hook_is_told_once_and_in_order(module: ModuleType) -> None:
    telling = module.Telling
    telling.told.clear()
    telling.changed.clear()
    execution = DurableExecutionTestClient().start_execution(name_of(module))
    execution.run_until_complete()
    execution.get_pending_callbacks()[0].fail({"ErrorType": "Refused", "ErrorMessage": "no"})
    execution.run_until_complete()
    assert telling.told == STORY.strip().splitlines()
    assert {name: found - {"STARTED"} or found for name, found in telling.changed.items()} == CHANGES
