"""AWS's unmodified Python SDK in another process, with its own boto3 client, while our worker dies."""

import os
import signal
from pathlib import Path

import pytest

from tests.remote.conftest import Remote
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
pytest.importorskip("aws_durable_execution_sdk_python")


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


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
