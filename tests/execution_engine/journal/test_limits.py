"""Limits of functions, by the claim statement: what is claimed, what waits in a line, and that lines are passed in one step."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection as django_connection
from django.db import transaction

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.limits import Limits
from execution_engine.core.records import ExecutionRecord
from execution_engine.journal import claims, limits
from execution_engine.journal import limited as limited_claims
from execution_engine.journal.claims import Claimer
from execution_engine.journal.store import wake
from execution_engine.models import Execution, FunctionVersion, Limit
from execution_engine.services.executions import StartOptions, start_execution, start_executions


def limit(**values: Any) -> None:
    """Sets the limits of the test function, as the newest change."""
    with transaction.atomic(), django_connection.cursor() as cursor:
        stored = limits.lock(cursor, "test-journal")
        assert limits.write(cursor, "test-journal", Limits(**values), stored.revision)


def start(key: str | None = None, priority: int | None = None) -> UUID:
    return start_execution("test-journal", "{}", options=StartOptions(concurrency_key=key, priority=priority)).id


def take(connection: Any, most: int = 100, *, limited: bool = True, **options: Any) -> list[UUID]:
    versions = list(FunctionVersion.objects.filter(function="test-journal").values_list("id", flat=True))
    look = limited_claims.claim if limited else claims.claim
    found = look(connection, Claimer(versions=versions, worker=uuid4(), limit=most, claim_seconds=30, **options))
    order = {one.execution_id: one for one in found}
    due = Execution.objects.filter(id__in=order).order_by("started_at").values_list("id", flat=True)
    return list(due)


def end(connection: Any, *ids: UUID) -> None:
    """As if its invocation had ended and the execution waited for somebody."""
    connection.execute("update durable_execution set claim_id = null, due_at = null where id = any(%s)", [list(ids)])


def suspend(connection: Any, *ids: UUID) -> None:
    """As if its invocation had ended and it were due again."""
    connection.execute("update durable_execution set claim_id = null, due_at = clock_timestamp() where id = any(%s)", [list(ids)])


def test_without_limits_the_other_look_finds_nothing(connection: Any) -> None:
    started = start()

    assert take(connection) == []
    assert take(connection, limited=False) == [started]


def test_a_limited_function_is_not_in_the_queue_of_the_others(connection: Any) -> None:
    limit(concurrency=5)
    start()

    assert take(connection, limited=False) == []


def test_concurrency_counts_claims_of_all_versions_and_not_the_suspended(connection: Any) -> None:
    limit(concurrency=2)
    first, second, third, fourth = (start() for _ in range(4))

    assert take(connection) == [first, second]
    assert take(connection) == []
    suspend(connection, first)
    assert take(connection) == [third], "oldest first: what was suspended is due later than what waits"
    end(connection, second, third)
    assert take(connection) == [first, fourth]


def test_a_changed_limit_counts_from_the_next_claim_on(connection: Any) -> None:
    limit(concurrency=1)
    started = [start() for _ in range(5)]
    assert take(connection) == started[:1]

    limit(concurrency=3)
    assert take(connection) == started[1:3]
    limit(concurrency=1)
    end(connection, *started[:2])
    assert take(connection) == [], "one still runs"
    limit()
    assert take(connection) == started[3:]


def test_a_key_has_its_own_limit_and_others_pass_it(connection: Any) -> None:
    limit(per_key=1)
    a, b = [start("a") for _ in range(3)], [start("b") for _ in range(2)]
    free = start()

    assert take(connection) == [a[0], b[0], free]
    assert set(Execution.objects.filter(line__isnull=False).values_list("id", "line")) == {(a[1], "a"), (a[2], "a"), (b[1], "b")}
    end(connection, b[0])
    assert take(connection) == [b[1]]
    end(connection, a[0])
    assert take(connection) == [a[1]]
    assert Execution.objects.get(id=a[1]).line is None


def test_keys_take_turns_however_many_wait(connection: Any) -> None:
    limit(per_key=2, concurrency=4)
    for key in ("a", "a", "a", "a", "a", "b", "c", "d"):
        start(key)

    first = take(connection)

    assert sorted(Execution.objects.filter(id__in=first).values_list("concurrency_key", flat=True)) == ["a", "b", "c", "d"]


def test_nobody_starves_among_more_keys_than_one_look_takes(connection: Any) -> None:
    limit(per_key=1)
    for number in range(20):
        for _ in range(3):
            start(f"key-{number:02}")
    assert len(take(connection, 7)) == 7
    taken: set[UUID] = set(Execution.objects.filter(claim_id__isnull=False).values_list("id", flat=True))

    for _ in range(60):
        found = take(connection, 7)
        end(connection, *taken)
        taken |= set(found)

    assert len(taken) == 60


def test_behind_the_last_line_the_first_ones_follow(connection: Any) -> None:
    """Where a look ended at `b`, and only `a` waits."""
    limit(per_key=1)
    a, b, waiting = start("a"), start("b"), start("a")
    assert take(connection) == [a, b]
    end(connection, a, b)

    connection.execute("update durable_limit set last_line = 'b'")

    assert take(connection) == [waiting]


@pytest.mark.parametrize(("due", "after"), [(-60, -60), (60, 0), (None, 0)])
def test_an_answer_does_not_move_what_waits_to_the_end(due: int | None, after: int) -> None:
    now = datetime.now(UTC)
    moment = None if due is None else now + timedelta(seconds=due)
    waiting = ExecutionRecord(uuid4(), "f", "1", "n", ExecutionStatus.RUNNING, now, due_at=moment)

    assert wake(waiting, now).due_at == now + timedelta(seconds=after)


def test_who_comes_back_does_not_pass_the_line_of_its_key(connection: Any) -> None:
    """Nor when it is the turn of another line, and the look would not have met those who stand there."""
    limit(per_key=1, concurrency=1)
    elder, back, other = start("a"), start("a"), start("b")
    connection.execute("update durable_execution set line = concurrency_key where id = any(%s)", [[elder, other]])
    connection.execute("update durable_limit set last_line = 'a'")

    assert take(connection) == [elder]
    assert Execution.objects.get(id=back).line == "a"


def test_first_invocations_wait_for_their_rate_and_others_do_not(connection: Any) -> None:
    limit(starts=1, seconds=3600, burst=2)
    started = [start() for _ in range(4)]

    assert take(connection) == started[:2]
    assert take(connection) == []
    assert set(Execution.objects.filter(line="").values_list("id", flat=True)) == set(started[2:])
    suspend(connection, started[0])
    assert take(connection) == started[:1], "it has begun already"
    connection.execute("update durable_limit set tokens_at = tokens_at - interval '1 hour'")
    assert take(connection) == started[2:3]


def test_a_raised_rate_lets_the_line_go(connection: Any) -> None:
    limit(starts=1, seconds=3600, burst=1)
    started = [start() for _ in range(4)]
    assert take(connection) == started[:1] and take(connection) == []

    limit(starts=1, seconds=1, burst=2)
    assert take(connection) == started[1:3]
    limit()
    assert take(connection) == started[3:]


def test_a_rate_and_a_key_together(connection: Any) -> None:
    limit(per_key=1, starts=1, seconds=3600, burst=3)
    a, b = [start("a") for _ in range(3)], [start("b") for _ in range(3)]

    assert take(connection) == [a[0], b[0]]
    end(connection, a[0], b[0])
    assert len(take(connection)) == 1, "one token is left"
    assert take(connection) == []
    assert Limit.objects.get().tokens < 1


def test_an_ended_claim_counts_until_anybody_may_take_it_over(connection: Any) -> None:
    limit(concurrency=1)
    first, second = start(), start()
    assert take(connection) == [first]

    connection.execute("update durable_execution set due_at = clock_timestamp() - interval '5 s' where id = %s", [first])
    assert take(connection) == [], "its worker may still renew it"
    connection.execute("update durable_execution set due_at = clock_timestamp() - interval '31 s' where id = %s", [first])
    assert take(connection) == [second]


def test_a_dead_workers_claim_frees_its_place_at_the_takeover(connection: Any) -> None:
    limit(concurrency=1)
    first, second = start(), start()
    assert take(connection) == [first]

    claims.take_over(connection, dead=Execution.objects.get(id=first).claimed_by)

    assert take(connection, suspects=True, alone=True) == [first], "the suspect is due as well, and oldest"
    assert take(connection) == []
    end(connection, first)
    assert take(connection) == [second]


def test_priority_is_a_head_start_and_no_more(connection: Any) -> None:
    late = start()
    connection.execute("update durable_execution set due_at = due_at - interval '90 s'")
    middle, urgent = start(), start(priority=60)

    assert [take(connection, 1, limited=False) for _ in range(3)] == [[late], [urgent], [middle]]


@pytest.mark.parametrize(("own", "due"), [(None, 30), (0, 0), (90, 90)])
def test_the_functions_priority_is_what_a_start_without_one_gets(connection: Any, own: int | None, due: int) -> None:
    limit(priority=30)
    row = Execution.objects.get(id=start(priority=own))

    assert row.due_at is not None
    assert (row.started_at - row.due_at).total_seconds() == due


def test_a_change_of_what_somebody_else_changed_is_refused(connection: Any) -> None:
    limit(concurrency=1)
    with transaction.atomic(), django_connection.cursor() as cursor:
        assert not limits.write(cursor, "test-journal", Limits(concurrency=9), 0)
    assert Limit.objects.get().concurrency == 1


def test_started_many_at_once_are_held_too(connection: Any) -> None:
    limit(concurrency=3)
    start_executions("test-journal", ["{}"] * 10)

    assert len(take(connection)) == 3
