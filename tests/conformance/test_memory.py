"""Histories in the in-memory client, where a process may die after any checkpoint."""

import pytest

from execution_engine import ExecutionFailedError
from execution_engine.testing.client import DurableExecutionTestClient, ExecutionUnderTest
from tests.conformance.lines import assert_history, history_lines
from tests.conformance.scenario import Answer, Heartbeat, Scenario, Stop
from tests.conformance.scenarios import IN_MEMORY


def play(scenario: Scenario) -> ExecutionUnderTest:
    client = DurableExecutionTestClient()
    if scenario.crash is not None:
        client.crash_after_checkpoints(scenario.crash.checkpoints)
    execution = client.start_execution(scenario.handler, scenario.input)
    for step in scenario.steps:
        take(execution, step)
    if scenario.passes:
        execution.skip_time(scenario.passes)
    execution.run_until_complete()
    return execution


def take(execution: ExecutionUnderTest, step: Answer | Heartbeat | Stop) -> None:
    if isinstance(step, Stop):
        execution.stop({"ErrorType": "ByHand", "ErrorMessage": step.error})
        return
    callback = next(pending for pending in execution.get_pending_callbacks() if pending.name == step.callback)
    if isinstance(step, Heartbeat):
        callback.heartbeat()
    elif step.error is not None:
        callback.fail({"ErrorType": "Refused", "ErrorMessage": step.error})
    else:
        callback.complete(step.text)


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_history_is_exact(scenario: Scenario) -> None:
    execution = play(scenario)
    assert_history(history_lines(execution.events), scenario.lines)
    assert execution.status == scenario.status
    if scenario.status == "SUCCEEDED":
        assert execution.get_result() == scenario.result
    else:
        with pytest.raises(ExecutionFailedError):
            execution.get_result()
