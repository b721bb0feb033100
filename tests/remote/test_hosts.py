"""What AWS's unmodified SDKs do in another process, on our engine, in whatever language."""

import pytest

from tests.remote.conftest import Host, Remote
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def test_every_operation_comes_to_the_right_result(remote: Remote, host: Host) -> None:
    execution_id = remote.start(f"{host.name}-everything")
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


def test_the_host_is_killed_in_the_middle_of_a_step(remote: Remote, host: Host) -> None:
    execution_id = remote.start(f"{host.name}-long-step")
    wait_until(lambda: remote.runs(execution_id, "second") == 1)

    host.process.kill()
    wait_until(lambda: "InvocationCompleted" in remote.events(execution_id))
    host.process.start()

    assert remote.result(execution_id) == {"first": 1, "second": 2, "third": 1}
    events = remote.events(execution_id)
    assert (events.count("StepStarted"), events.count("StepSucceeded")) == (3, 3)


def test_the_host_is_killed_while_it_waits_for_a_callback(remote: Remote, host: Host) -> None:
    """Nothing runs there then: whoever comes up next gets the whole state."""
    execution_id = remote.start(f"{host.name}-everything")
    path = f"/callbacks?status=pending&execution={execution_id}"
    wait_until(lambda: remote.product.call("GET", path)["results"])

    host.process.kill()
    remote.answer_callback(execution_id, "late")
    host.process.start()

    assert remote.result(execution_id)["callback"] == '"late"'
    assert remote.runs(execution_id, "step") == 1


def test_a_pause_cuts_it_off_in_the_middle_of_a_step(remote: Remote, host: Host) -> None:
    """The JavaScript SDK goes on with the token that it had, and must be told in its own words that it is worthless."""
    execution_id = remote.start(f"{host.name}-long-step")
    wait_until(lambda: remote.runs(execution_id, "second") == 1)

    remote.product.call("POST", f"/executions/{execution_id}/pause", {})
    remote.go_on(execution_id)
    wait_until(lambda: remote.get(execution_id)["status"] != "PAUSING")
    assert remote.get(execution_id)["status"] == "PAUSED", remote.get(execution_id)
    remote.product.call("POST", f"/executions/{execution_id}/resume", {})

    # The body of JavaScript's third step ran beside the START that was refused, so it runs again: at least once.
    third = remote.runs(execution_id, "third") if host.name == "node" else 1
    assert remote.result(execution_id) == {"first": 1, "second": 1, "third": third}
