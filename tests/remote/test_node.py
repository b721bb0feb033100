"""AWS's JavaScript SDK in a Node process, on our engine: what only it does."""

import pytest

from tests.remote.conftest import Remote
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_a_result_that_fits_into_no_answer_is_recorded_by_a_checkpoint(remote: Remote) -> None:
    """Lambda's answers end 50 bytes below 6 MiB; what an execution keeps ends there."""
    size = 6 * 1024 * 1024 - 30
    with remote.node:
        execution_id = remote.product.call("POST", "/executions", {"function": "node-large", "input": {"size": size}})["id"]
        assert len(remote.result(execution_id)) == size
    assert remote.events(execution_id)[-2:] == ["InvocationCompleted", "ExecutionSucceeded"]


def test_a_result_above_the_limit_fails_the_execution_at_once(remote: Remote) -> None:
    """Refused, its checkpoint would leave this SDK waiting: its race between handler and termination is over by then."""
    size = 6 * 1024 * 1024 + 1
    with remote.node:
        execution_id = remote.product.call("POST", "/executions", {"function": "node-large", "input": {"size": size}})["id"]
        wait_until(lambda: remote.get(execution_id)["status"] != "RUNNING")
    found = remote.get(execution_id)
    assert (found["status"], found["error"]["ErrorType"]) == ("FAILED", "Function.ResponseSizeTooLarge")
    assert remote.events(execution_id).count("InvocationCompleted") == 1
