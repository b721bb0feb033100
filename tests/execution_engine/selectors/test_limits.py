"""What people read of limits: why an execution waits, who has what it waits for, and how many stand where."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from execution_engine import durable_execution
from execution_engine.core.limits import Limits
from execution_engine.journal import connections, limited
from execution_engine.journal.claims import Claimer
from execution_engine.models import FunctionVersion, Limit
from execution_engine.selectors.causes import CauseCode, explain
from execution_engine.selectors.executions import get_execution, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.limits import function_limits
from execution_engine.selectors.search import ExecutionFilters
from execution_engine.services.executions import StartOptions, start_execution, start_executions
from execution_engine.services.limits import set_limits


@durable_execution(name="test-held")
def held(event: Any, context: Any) -> None:
    """Never runs: the test claims it."""


def start(key: str | None = None) -> Any:
    return start_execution("test-held", "{}", options=StartOptions(concurrency_key=key)).id


def look(connection: psycopg.Connection[Any], version: int) -> None:
    limited.claim(connection, Claimer(versions=[version], worker=uuid4(), limit=10, claim_seconds=30))


@pytest.fixture
def version(transactional_db: None) -> int:
    start_execution("test-held", "{}", name="before-any-limit")
    found = FunctionVersion.objects.get(function="test-held").id
    with connections.connect("worker") as own:
        own.execute("delete from durable_event")
        own.execute("delete from durable_execution")
        own.execute(
            "insert into durable_worker (boot_id, host, pid, parent_pid, process_started_at, started_at, seen_at, threads, in_flight,"
            " lost_threads, is_draining, version_ids) values (gen_random_uuid(), 'h', 1, 1, '', now(), now(), 8, 0, 0, false, %s)",
            [f"[{found}]"],
        )
    return found


def test_who_holds_a_functions_limit(version: int) -> None:
    set_limits("test-held", Limits(concurrency=2))
    first, second, third, fourth = (start() for _ in range(4))
    with connections.connect("claimer") as own:
        look(own, version)

    found = explain(fourth)

    assert [one.code for one in found.causes] == [CauseCode.LIMIT, CauseCode.QUEUE, CauseCode.WORKERS]
    assert (found.state.code, found.state.label) == (StateCode.QUEUED, "Queued by a limit")
    assert found.state.sentence == "It is due for its first invocation and waits until fewer executions of its function run."
    listed = {one.id: one.state for one in list_executions(ExecutionFilters()).items}
    assert listed[fourth] == get_execution(fourth).summary.state == found.state, "the same words everywhere"
    assert listed[first].label == "Running"
    assert found.causes[0].sentence == "Limit of test-held held by 2 of 2."
    assert [one.execution_id for one in found.causes[0].causes] == [first, second]
    assert found.causes[1].sentence == "1 due before it at the same workers."
    assert third != fourth


def test_run_waits_for_its_turn_and_says_what_it_waited_for(version: int) -> None:
    set_limits("test-held", Limits(concurrency=1))
    start()
    with connections.connect("claimer") as own:
        look(own, version)

    handle = held.run({})

    with pytest.raises(TimeoutError, match=r"is still RUNNING: .* waits until fewer executions of its function run\.$"):
        handle.result(timeout=1)


def test_who_holds_a_key_and_the_rank_in_its_line(version: int) -> None:
    set_limits("test-held", Limits(per_key=1))
    first, _, third = (start("customer-42") for _ in range(3))
    with connections.connect("claimer") as own:
        look(own, version)

    found = explain(third)

    assert found.state.label == get_execution(third).summary.state.label == "Queued behind customer-42"
    assert found.causes[0].sentence == "Limit of concurrency key customer-42 held by 1 of 1."
    assert [one.execution_id for one in found.causes[0].causes] == [first]
    assert found.causes[1].sentence == "1 due before it in the same line."
    assert function_limits(["test-held"])["test-held"].waiting_for_key == 2


def test_what_waits_for_its_start(version: int) -> None:
    set_limits("test-held", Limits(starts=1, seconds=60, burst=1))
    _, second, third = start(), start(), start()
    with connections.connect("claimer") as own:
        look(own, version)

    found = explain(second)

    assert found.state.label == "Queued by the rate of starts"
    assert [one.sentence for one in found.causes[:2]] == [
        "Rate of starts: 1 per 60 s, 1 at once after a quiet time.",
        "It is the first of its line.",
    ]
    [bucket] = Limit.objects.values_list("tokens", "tokens_at")
    next_start = bucket[1] + timedelta(seconds=(1 - bucket[0]) * 60)
    assert found.causes[0].until == found.state.until == next_start
    behind = explain(third)
    assert behind.causes[0].until == next_start, "when the next one begins"
    assert behind.state.until == next_start + timedelta(seconds=60), "when it does so itself"
    standing = function_limits(["test-held"])["test-held"]
    assert (standing.running, standing.waiting_for_start, standing.revision, standing.limits.starts) == (1, 2, 1, 1)


def test_only_one_of_those_that_are_due_alike_is_the_first(version: int) -> None:
    set_limits("test-held", Limits(starts=1, seconds=60, burst=1))
    started = sorted(one.id for one in start_executions("test-held", ["{}"] * 4))
    with connections.connect("claimer") as own:
        look(own, version)

    lines = [explain(one).causes for one in started if get_execution(one).line == ""]

    assert [causes[1].sentence for causes in lines] == [
        "It is the first of its line.",
        "1 due before it in the same line.",
        "2 due before it in the same line.",
    ]


def test_without_limits_nothing_more_is_asked(version: int, django_assert_num_queries: Any) -> None:
    waiting = start()
    with django_assert_num_queries(4):
        assert [one.code for one in explain(waiting).causes] == [CauseCode.QUEUE, CauseCode.WORKERS]
    assert function_limits(["test-held", "nobody"]).keys() == {"test-held"}


def test_a_priority_does_not_make_it_wait_longer(version: int) -> None:
    urgent = start_execution("test-held", "{}", options=StartOptions(priority=3600)).id
    summary = get_execution(urgent).summary
    assert summary.state.since == summary.started_at
