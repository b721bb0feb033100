"""AWS's JavaScript SDK in a Node process, on our engine."""

from collections.abc import Iterator

import pytest

from tests.remote.conftest import Remote, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def node(remote: Remote) -> Iterator[Remote]:
    with remote.node:
        yield remote


def test_every_operation_comes_to_the_right_result(node: Remote) -> None:
    execution_id = node.start("node-everything")
    node.answer_callback(execution_id, "yes")
    assert node.result(execution_id) == {
        "step": 1,
        "retried": 2,
        "child": 7,
        "map": [10, 20, 30],
        "invoke": {"doubled": 40},
        "callback": '"yes"',
    }
    assert node.runs(execution_id, "step") == 1


def test_the_process_is_killed_in_the_middle_of_a_step(node: Remote) -> None:
    execution_id = node.start("node-long-step")
    wait_until(lambda: node.runs(execution_id, "second") == 1)

    node.node.kill()
    wait_until(lambda: "InvocationCompleted" in node.events(execution_id))
    node.node.start()

    assert node.result(execution_id) == {"first": 1, "second": 2, "third": 1}
    assert node.events(execution_id).count("StepSucceeded") == 3


def test_the_process_is_killed_while_it_waits_for_a_callback(node: Remote) -> None:
    """Nothing runs there then: whoever comes up next gets the whole state."""
    execution_id = node.start("node-everything")
    path = f"/callbacks?status=pending&execution={execution_id}"
    wait_until(lambda: node.product.call("GET", path)["results"])

    node.node.kill()
    node.answer_callback(execution_id, "late")
    node.node.start()

    assert node.result(execution_id)["callback"] == '"late"'
    assert node.runs(execution_id, "step") == 1


def test_a_pause_cuts_it_off_in_the_middle_of_a_step(node: Remote) -> None:
    """This SDK goes on with the token that it had, and must be told in its own words that it is worthless."""
    execution_id = node.start("node-long-step")
    wait_until(lambda: node.runs(execution_id, "second") == 1)

    node.product.call("POST", f"/executions/{execution_id}/pause", {})
    node.go_on(execution_id)
    wait_until(lambda: node.get(execution_id)["status"] != "PAUSING")
    assert node.get(execution_id)["status"] == "PAUSED", node.get(execution_id)
    node.product.call("POST", f"/executions/{execution_id}/resume", {})

    found = node.result(execution_id)
    # The third step's body ran beside the START that was refused, so it runs again: at least once.
    assert (found["first"], found["second"]) == (1, 1)
    assert found["third"] == node.runs(execution_id, "third")


def test_a_result_that_fits_into_no_answer_is_recorded_by_a_checkpoint(node: Remote) -> None:
    """Lambda's answers end 50 bytes below 6 MiB; what an execution keeps ends there."""
    size = 6 * 1024 * 1024 - 30
    execution_id = node.product.call("POST", "/executions", {"function": "node-large", "input": {"size": size}})["id"]
    assert len(node.result(execution_id)) == size
    assert node.events(execution_id)[-2:] == ["InvocationCompleted", "ExecutionSucceeded"]
