"""AWS's JavaScript SDK in a Node process, on our engine: what only it does."""

import pytest

from tests.remote.conftest import Remote

pytestmark = pytest.mark.slow


def test_a_result_that_fits_into_no_answer_is_recorded_by_a_checkpoint(remote: Remote) -> None:
    """Lambda's answers end 50 bytes below 6 MiB; what an execution keeps ends there."""
    size = 6 * 1024 * 1024 - 30
    with remote.node:
        execution_id = remote.product.call("POST", "/executions", {"function": "node-large", "input": {"size": size}})["id"]
        assert len(remote.result(execution_id)) == size
    assert remote.events(execution_id)[-2:] == ["InvocationCompleted", "ExecutionSucceeded"]
