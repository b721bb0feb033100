"""Scripted deaths of the process, in memory and on the test database."""

import time
from collections import Counter
from threading import Event
from typing import Any

import pytest

from execution_engine import DurableContext, MapConfig, ParallelConfig, StepConfig, StepSemantics
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db

bodies: Counter[str] = Counter()


@pytest.fixture(params=["memory", "database"])
def client(request: pytest.FixtureRequest) -> DurableExecutionTestClient:
    bodies.clear()
    return DurableExecutionTestClient(database=request.param == "database")


def count(name: str) -> str:
    bodies[name] += 1
    return name


def pays(event: Any, context: DurableContext) -> list[Any]:
    first = context.step("reserve", lambda: count("reserve"))
    answer = context.create_callback("person").result()
    return [first, answer, context.step("pay", lambda: count("pay"))]


def test_a_body_whose_end_was_not_recorded_runs_again(client: DurableExecutionTestClient) -> None:
    client.crash_before_checkpoints(2)
    execution = client.start_execution(pays)
    assert (bodies["reserve"], execution.get_pending_callbacks()[0].name) == (2, "person")
    starts = [event for event in execution.events if event["EventType"] == "StepStarted"]
    ends = [event["InvocationCompletedDetails"]["Error"] for event in execution.events if event["EventType"] == "InvocationCompleted"]
    assert len(starts) == 1
    assert [end.get("Payload", {}).get("ErrorType") for end in ends] == ["Runtime.ExitError", None]


def test_a_body_whose_end_was_recorded_does_not(client: DurableExecutionTestClient) -> None:
    client.crash_after_checkpoints(2)
    client.start_execution(pays)
    assert bodies["reserve"] == 1


@pytest.mark.parametrize("before", [True, False])
def test_the_invocation_that_an_answer_begins_may_die_too(client: DurableExecutionTestClient, before: bool) -> None:
    """At each of its checkpoints: START and end of the step, and the end of the execution."""
    for checkpoint in (1, 2, 3):
        bodies.clear()
        execution = client.start_execution(pays, name=f"{before}-{checkpoint}")
        crash = client.crash_before_checkpoints if before else client.crash_after_checkpoints
        crash(checkpoint)
        execution.get_pending_callbacks()[0].complete("yes")
        assert execution.get_result() == ["reserve", "yes", "pay"]
        assert (bodies["reserve"], bodies["pay"]) == (1, 2 if before and checkpoint == 2 else 1)


def test_an_at_most_once_step_is_interrupted(client: DurableExecutionTestClient) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        config = StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
        return context.step(lambda: count("once"), name="once", config=config)

    client.crash_before_checkpoints(2)
    execution = client.start_execution(handler)
    execution.run_until_complete()
    errors = [event["StepFailedDetails"]["Error"]["Payload"] for event in execution.events if event["EventType"] == "StepFailed"]
    assert [error["ErrorType"].rsplit(".")[-1] for error in errors] == ["StepInterruptedError"]
    assert bodies["once"] == 2, "once for each attempt"


@pytest.mark.parametrize("checkpoint", range(1, 12))
def test_branches_survive_a_death(client: DurableExecutionTestClient, checkpoint: int) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        config = MapConfig(max_concurrency=2)
        return context.map(
            [1, 2, 3], lambda child, item, index, _: child.step(lambda: count(str(item)), name="one"), config=config
        ).get_results()

    client.crash_after_checkpoints(checkpoint)
    execution = client.start_execution(handler)
    assert execution.get_result() == ["1", "2", "3"]
    assert max(bodies.values()) <= 2


def test_a_death_that_never_comes_is_no_death(client: DurableExecutionTestClient) -> None:
    client.crash_after_checkpoints(50)
    execution = client.start_execution(pays)
    assert [event["EventType"] for event in execution.events].count("InvocationCompleted") == 1
    with pytest.raises(ValueError, match="at least 1"):
        client.crash_before_checkpoints(0)


def test_a_death_counts_although_the_branch_beside_it_unwinds_first(client: DurableExecutionTestClient) -> None:
    died, unwound = Event(), Event()

    def dies(branch: DurableContext) -> str:
        try:
            return branch.step("dies", lambda: count("dies"))
        except BaseException:
            died.set()
            unwound.wait(2)
            time.sleep(0.1)  # the other one reaches the parent first
            raise

    def follows(branch: DurableContext) -> str:
        if bodies["followed"] == 0:
            died.wait(2)
        bodies["followed"] += 1
        try:
            return branch.step("follows", lambda: "follows")
        finally:
            unwound.set()

    def side_by_side(event: Any, context: DurableContext) -> list[str]:
        return context.parallel([dies, follows], config=ParallelConfig()).get_results()

    client.crash_before_checkpoints(4)  # START of the parallel, then of its branches, then of the first step
    assert client.start_execution(side_by_side).get_result() == ["dies", "follows"]
    assert died.is_set()
