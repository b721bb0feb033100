"""AWS's unmodified Python SDK in another process, with its own boto3 client, on our engine."""

import os
import signal
from pathlib import Path

import pytest

from tests.remote.conftest import Remote, wait_until

pytestmark = pytest.mark.slow
pytest.importorskip("aws_durable_execution_sdk_python")


def test_every_operation_comes_to_the_right_result(remote: Remote) -> None:
    execution_id = remote.start("remote-everything")
    remote.answer_callback(execution_id, "yes")
    assert remote.result(execution_id) == {
        "step": 1,
        "retried": 2,
        "child": 7,
        "map": [10, 20, 30],
        "invoke": {"doubled": 40},
        "callback": '"yes"',
    }
    assert remote.runs(execution_id, "step") == 1


def test_the_host_is_killed_in_the_middle_of_a_step(remote: Remote) -> None:
    execution_id = remote.start("remote-long-step")
    wait_until(lambda: remote.runs(execution_id, "second") == 1)

    remote.python.kill()
    wait_until(lambda: "InvocationCompleted" in remote.events(execution_id))
    remote.python.start()

    assert remote.result(execution_id) == {"first": 1, "second": 2, "third": 1}
    events = remote.events(execution_id)
    assert (events.count("StepStarted"), events.count("StepSucceeded")) == (3, 3)


def test_the_worker_is_killed_in_the_middle_of_a_step(remote: Remote) -> None:
    """Its sibling takes over and calls again; what the first call still does is refused."""
    execution_id = remote.start("remote-long-step")
    wait_until(lambda: remote.runs(execution_id, "second") == 1)

    for pid in children_of(remote.serving.pid_of("celery")):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: remote.runs(execution_id, "second") == 2)
    remote.go_on(execution_id)

    assert remote.result(execution_id) == {"first": 1, "second": 2, "third": 1}
    assert remote.events(execution_id).count("StepSucceeded") == 3


def test_a_pause_cuts_it_off_in_the_middle_of_a_step(remote: Remote) -> None:
    execution_id = remote.start("remote-long-step")
    wait_until(lambda: remote.runs(execution_id, "second") == 1)

    remote.product.call("POST", f"/executions/{execution_id}/pause", {})
    remote.go_on(execution_id)
    wait_until(lambda: remote.get(execution_id)["status"] != "PAUSING")
    assert remote.get(execution_id)["status"] == "PAUSED", remote.get(execution_id)
    remote.product.call("POST", f"/executions/{execution_id}/resume", {})

    assert remote.result(execution_id) == {"first": 1, "second": 1, "third": 1}


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
