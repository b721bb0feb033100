"""Chained invokes with the client, in memory and on the test database."""

from typing import Any

import pytest

from execution_engine import DurableContext, InvokeError, durable_execution
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db  # databases are made for what is marked before the first test runs


@pytest.fixture(params=["memory", "database"])
def client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    return DurableExecutionTestClient(database=request.param == "database")


@durable_execution(name="testing-kit-child")
def child(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    context.wait(minutes=1)
    if event["n"] < 0:
        raise ValueError("negative")
    return {"doubled": event["n"] * 2}


def parent(event: dict[str, Any], context: DurableContext) -> Any:
    try:
        return context.invoke(event["target"], {"n": event["n"]}, name="double")
    except InvokeError as error:
        return [error.error_type, error.message]


def test_a_child_runs_on_its_own_and_its_result_comes_back(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(parent, {"target": "testing-kit-child", "n": 4})
    assert [run.status for run in client.executions][:1] == ["RUNNING"]
    client.skip_time(60)
    assert execution.get_result() == {"doubled": 8}
    types = [event["EventType"] for event in execution.events]
    assert types == [
        "ExecutionStarted",
        "ChainedInvokeStarted",
        "InvocationCompleted",
        "ChainedInvokeSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    details = execution.events[1]["ChainedInvokeStartedDetails"]
    assert (details["FunctionName"], details["ExecutedVersion"]) == ("testing-kit-child", "1")
    assert details["Input"]["Payload"].replace(" ", "") == '{"n":4}'
    assert ":function:testing-kit-child:1/durable-execution/" in details["DurableExecutionArn"]


def test_a_failed_child_is_an_invoke_error(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(parent, {"target": "testing-kit-child", "n": -1})
    client.skip_time(60)
    assert execution.get_result() == ["ValueError", "negative"]


def test_an_unknown_target_fails_at_once(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(parent, {"target": "nobody-knows-it", "n": 1})
    assert execution.get_result()[0] == "ResourceNotFoundException"
    assert [event["EventType"] for event in execution.events][1:3] == ["ChainedInvokeStarted", "ChainedInvokeFailed"]


def test_a_plain_function_is_called_once(client: DurableExecutionTestClient) -> None:
    calls: list[dict[str, Any]] = []

    def plain(event: dict[str, Any], lambda_context: Any) -> int:
        calls.append(event)
        return int(event["n"]) + 1

    client.register_function(plain, "add-one", durable=False)
    execution = client.start_execution(parent, {"target": "add-one", "n": 1})
    assert execution.get_result() == 2
    assert calls == [{"n": 1}]


def test_a_tenant_travels_into_the_child(client: DurableExecutionTestClient) -> None:
    from execution_engine import InvokeConfig

    def tells(event: Any, context: DurableContext) -> str:
        return str(context.lambda_context.tenant_id)

    def asks(event: Any, context: DurableContext) -> Any:
        return context.invoke("tells", None, config=InvokeConfig(tenant_id="acme"))

    client.register_function(tells)
    execution = client.start_execution(asks)
    assert execution.get_result() == "acme"
