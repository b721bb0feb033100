"""Functions decorated with AWS's own SDK in both clients: waits, callbacks, crashes and redrives as for ours."""

from typing import Any

import pytest

from execution_engine.testing import DurableExecutionTestClient, DurableFunctionTestRunner

pytestmark = pytest.mark.django_db
aws = pytest.importorskip("aws_durable_execution_sdk_python")

from aws_durable_execution_sdk_python.config import Duration, StepConfig  # noqa: E402
from aws_durable_execution_sdk_python.retries import RetryPresets  # noqa: E402

bodies: list[str] = []
broken: set[str] = set()


@pytest.fixture(params=["memory", "database"])
def client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    bodies.clear()
    broken.clear()
    return DurableExecutionTestClient(database=request.param == "database")


def step(context: Any, name: str) -> str:
    def body(_: Any) -> str:
        bodies.append(name)
        if name in broken:
            raise ValueError(f"{name} is broken")
        return name

    return str(context.step(body, name=name, config=StepConfig(retry_strategy=RetryPresets.none())))


@aws.durable_execution
def handler(event: Any, context: Any) -> list[Any]:
    first = step(context, "first")
    context.wait(Duration.from_days(3), name="three days")
    callback = context.create_callback(name="person")
    answer = callback.result()
    return [first, answer, step(context, "last")]


def test_it_runs_on_the_virtual_clock(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(handler, {"n": 1})
    assert execution.run_until_complete() == "RUNNING"
    execution.get_pending_callbacks()[0].complete("yes")
    assert execution.get_result() == ["first", "yes", "last"]
    assert (execution.events[-1]["EventTimestamp"] - execution.events[0]["EventTimestamp"]).days == 3
    assert bodies == ["first", "last"]


def test_it_survives_deaths(client: DurableExecutionTestClient) -> None:
    for count in (1, 2, 3):
        bodies.clear()
        client.crash_after_checkpoints(count)
        execution = client.start_execution(handler, {"n": count})
        execution.run_until_complete()
        execution.get_pending_callbacks()[0].complete("yes")
        assert execution.get_result() == ["first", "yes", "last"]
        assert bodies.count("first") <= 2 and bodies.count("last") == 1


def test_it_is_redriven_and_forked(client: DurableExecutionTestClient) -> None:
    broken.add("last")
    execution = client.start_execution(handler, {"n": 1})
    execution.run_until_complete()
    execution.get_pending_callbacks()[0].complete("yes")
    assert execution.status == "FAILED"
    broken.clear()
    bodies.clear()
    forked = execution.fork()
    execution.redrive()
    assert execution.get_result() == forked.get_result() == ["first", "yes", "last"]
    assert bodies == ["last", "last"]


def test_the_runner_takes_it_too() -> None:
    runner = DurableFunctionTestRunner(handler)
    arn = runner.run_async()
    runner.send_callback_success(runner.wait_for_callback(arn, name="person"), b"yes")
    assert runner.wait_for_result(arn).result == '["first", "yes", "last"]'
