"""Pause and resume with the client, in memory and on the test database."""

from typing import Any

import pytest

from execution_engine import DurableContext
from execution_engine.core.errors import ExecutionNotPausedError
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["memory", "database"])
def client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    return DurableExecutionTestClient(database=request.param == "database")


def types(execution: Any) -> list[str]:
    return [event["EventType"] for event in execution.events]


def test_timers_go_on_and_nothing_is_invoked(client: DurableExecutionTestClient) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        context.wait(60)
        return "went on"

    execution = client.start_execution(handler)
    execution.pause("maintenance")
    execution.pause()
    assert execution.status == "PAUSED"
    client.skip_time(120)
    assert types(execution)[2:] == ["InvocationCompleted", "ExecutionPaused", "WaitSucceeded"]
    execution.resume()
    assert execution.get_result() == "went on"
    assert types(execution)[5:] == ["ExecutionResumed", "InvocationCompleted", "ExecutionSucceeded"]
    details = next(event["ExecutionPausedDetails"] for event in execution.events if event["EventType"] == "ExecutionPaused")
    assert details["Reason"] == {"Payload": "maintenance", "Truncated": False}


def test_an_answer_while_paused_waits_for_the_resume(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(lambda event, context: context.create_callback("person").result())
    execution.pause()
    execution.get_pending_callbacks()[0].complete("yes")
    assert execution.status == "PAUSED"
    execution.resume()
    assert execution.get_result() == "yes"
    with pytest.raises(Exception, match="SUCCEEDED"):
        execution.resume()


def test_a_running_handler_unwinds_at_its_next_checkpoint(client: DurableExecutionTestClient) -> None:
    bodies: list[str] = []

    def handler(event: Any, context: DurableContext) -> int:
        context.step(lambda: client.executions[0].pause() if not bodies else None, name="pauses")
        bodies.append("after")
        return context.step(lambda: len(bodies), name="later")

    execution = client.start_execution(handler)
    assert (execution.status, bodies) == ("PAUSED", [])
    execution.resume()
    assert execution.get_result() == 1
    assert types(execution)[1:5] == ["StepStarted", "StepSucceeded", "InvocationCompleted", "ExecutionPaused"]


def test_a_running_execution_cannot_be_resumed(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(lambda event, context: context.create_callback("person").result())
    with pytest.raises(ExecutionNotPausedError):
        execution.resume()
