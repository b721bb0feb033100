"""Schedules: every firing once, whoever fires, however late; what was missed, what is open, and what people may ask for."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection

from execution_engine import durable_execution
from execution_engine.core.errors import (
    ChangedMeanwhileError,
    FunctionNotFoundError,
    InvalidInputError,
    NameTakenError,
    ScheduleNotFoundError,
)
from execution_engine.core.schedules import Overlap, ScheduleValues
from execution_engine.journal import connections
from execution_engine.models import Execution, Schedule
from execution_engine.selectors import schedules as reads
from execution_engine.services import schedules

pytestmark = pytest.mark.usefixtures("steady_hour")


@durable_execution(name="test-scheduled")
def scheduled(event: Any, context: Any) -> None:
    """Never runs: no worker is there."""


@pytest.fixture
def connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    with connections.connect("test") as found:
        yield found


def make(**values: Any) -> int:
    given = {"name": "nightly", "function": "test-scheduled", "rule": "3600", "input": '{"n": 1}'} | values
    return schedules.create_schedule(ScheduleValues(**given), created_by="anna")


def due(schedule_id: int, ago: timedelta) -> datetime:
    """As if the last look had been so long ago that a firing fell due then; answers its moment."""
    moment = datetime.now(UTC).replace(microsecond=0) - ago
    with django_connection.cursor() as cursor:
        cursor.execute("update durable_schedule set due_at = %s, anchor_at = %s where id = %s", [moment, moment, schedule_id])
    return moment


def names() -> list[str]:
    return sorted(Execution.objects.values_list("name", flat=True))


def test_a_firing_is_an_execution_named_after_its_moment(connection: Any) -> None:
    found = make(attributes={"team": "ops"}, concurrency_key="k")
    moment = due(found, timedelta(seconds=2))

    assert schedules.fire_due(connection) == 1
    assert schedules.fire_due(connection) == 0

    execution = Execution.objects.get()
    assert execution.name == f"schedule-{found}-{moment:%Y%m%dT%H%M%SZ}"
    assert (execution.input, execution.attributes, execution.concurrency_key) == ('{"n": 1}', {"schedule": "nightly", "team": "ops"}, "k")
    assert execution.started_by == "schedule nightly"
    row = Schedule.objects.get()
    assert (row.due_at, row.last_fired_at, row.last_execution_id) == (moment + timedelta(hours=1), moment, execution.id)


def test_two_workers_that_look_at_once_start_it_once(connection: Any) -> None:
    for number in range(6):
        due(make(name=f"s{number}"), timedelta(seconds=3))
    started: list[int] = []

    def work() -> None:
        with connections.connect("worker") as own:
            started.extend(schedules.fire_due(own) for _ in range(4))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(started) == 6 == Execution.objects.count()


def test_a_worker_killed_between_start_and_commit_has_started_nothing(connection: Any) -> None:
    """Its connection goes with the transaction open; the next one fires the same moment, once."""
    found = make()
    moment = due(found, timedelta(seconds=2))
    dying = connections.connect("dying")
    dying.execute("begin")
    schedule = schedules.rows.claim(dying.cursor())
    assert schedule is not None and schedules._fire(dying.cursor(), schedule) == 1
    assert schedules.fire_due(connection) == 0, "somebody has it in hand"
    dying.close()

    while schedules.fire_due(connection) == 0:
        pass
    assert names() == [f"schedule-{found}-{moment:%Y%m%dT%H%M%SZ}"]


@pytest.mark.parametrize(("catch_up", "started", "skipped"), [(0, 0, 4), (1, 1, 3), (2, 2, 2), (100, 4, 0)])
def test_after_a_down_time_the_latest_missed_are_made_up_for(connection: Any, catch_up: int, started: int, skipped: int) -> None:
    found = make(catch_up=catch_up)
    first = due(found, timedelta(hours=3, minutes=30))

    assert schedules.fire_due(connection) == started

    moments = [first + timedelta(hours=n) for n in range(4)][4 - started :]
    assert names() == [f"schedule-{found}-{at:%Y%m%dT%H%M%SZ}" for at in moments]
    row = Schedule.objects.get()
    assert (row.skipped, row.due_at) == (skipped, first + timedelta(hours=4))


def test_a_year_of_missed_seconds_is_bounded(connection: Any) -> None:
    found = make(rule="10", catch_up=3)
    due(found, timedelta(days=365))

    assert 3 <= schedules.fire_due(connection) <= 3 + schedules.LATE_SECONDS // 10 + 1
    assert Schedule.objects.get().skipped == schedules.COUNTED_SKIPS


def test_a_firing_is_left_out_while_the_last_one_is_open(connection: Any) -> None:
    found = make(overlap=Overlap.SKIP)
    due(found, timedelta(seconds=2))
    assert schedules.fire_due(connection) == 1
    due(found, timedelta(seconds=1))
    assert schedules.fire_due(connection) == 0
    assert Schedule.objects.get().skipped == 1

    connection.execute("update durable_execution set ended_at = now(), status = 'SUCCEEDED', due_at = null")
    due(found, timedelta(seconds=0))
    assert schedules.fire_due(connection) == 1


def test_a_paused_schedule_fires_nothing_and_resumes_at_its_next_moment(connection: Any) -> None:
    found = make()
    due(found, timedelta(hours=5))
    assert not schedules.pause_schedule(found, is_paused=True).values.is_paused
    assert schedules.pause_schedule(found, is_paused=True).values.is_paused
    assert schedules.fire_due(connection) == 0 and Schedule.objects.get().due_at is None

    schedules.pause_schedule(found, is_paused=False)
    row = Schedule.objects.get()
    assert row.due_at is not None and datetime.now(UTC) < row.due_at <= datetime.now(UTC) + timedelta(hours=1)
    assert schedules.fire_due(connection) == 0, "what fell due in the pause is not made up for"


def test_a_function_that_went_away_says_so_and_the_next_moment_comes(connection: Any) -> None:
    found = make()
    moment = due(found, timedelta(seconds=2))
    connection.execute("update durable_schedule set function = 'gone'")

    assert schedules.fire_due(connection) == 0
    row = Schedule.objects.get()
    assert "gone" in row.last_error and row.due_at == moment + timedelta(hours=1)


def test_what_cannot_be_fired_does_not_stop_the_others(connection: Any) -> None:
    bad, good = make(name="bad"), make(name="good")
    due(bad, timedelta(seconds=30)), due(good, timedelta(seconds=2))
    connection.execute("update durable_schedule set attributes = '[]' where id = %s", [bad])

    assert schedules.fire_due(connection) == 1
    row = Schedule.objects.get(id=bad)
    assert row.last_error and row.due_at is not None and row.due_at > datetime.now(UTC)


def test_trigger_now_fires_whatever_is_open(connection: Any) -> None:
    found = make(overlap=Overlap.SKIP, is_paused=True)

    _, execution_id, name = schedules.trigger_schedule(found, started_by="anna")

    execution = Execution.objects.get()
    assert (execution.id, execution.name, execution.started_by) == (execution_id, name, "anna")
    assert Schedule.objects.get().due_at is None


def test_a_backfill_starts_what_the_range_holds_and_never_twice(connection: Any) -> None:
    found = make(rule="0 * * * *")
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=5)

    _, first, all_of_it = schedules.backfill_schedule(found, start, end, started_by="anna")
    _, second, _ = schedules.backfill_schedule(found, start - timedelta(hours=1), end, started_by="anna")

    assert (len(first), all_of_it, len(second), Execution.objects.count()) == (6, 6, 1, 7)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(-1, -2, "ends before"), (-1, 2, "future"), (-24 * 367, -1, "366 days"), (-24 * 60, -1, "more than 1000")],
)
def test_a_range_that_is_none_is_refused(connection: Any, start: int, end: int, words: str) -> None:
    found, now = make(rule="*/5 * * * *"), datetime.now(UTC)

    with pytest.raises(InvalidInputError, match=words):
        schedules.backfill_schedule(found, now + timedelta(hours=start), now + timedelta(hours=end))
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\x00"},
        {"rule": "* * *"},
        {"timezone": "Nowhere"},
        {"catch_up": 101},
        {"catch_up": -1},
        {"priority": 3601},
        {"concurrency_key": ""},
        {"attributes": {"a": []}},
        {"input": "\ud800"},
    ],
)
def test_what_could_not_fire_is_refused_at_once(connection: Any, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        make(**values)
    assert not Schedule.objects.exists()


def test_names_are_unique_functions_exist_and_revisions_match(connection: Any) -> None:
    found, other = make(), make(name="other")
    with pytest.raises(NameTakenError):
        make()
    with pytest.raises(FunctionNotFoundError):
        make(name="new", function="nobody")
    with pytest.raises(NameTakenError):
        schedules.change_schedule(other, schedule_values(found))
    schedules.change_schedule(found, with_changes(schedule_values(found), catch_up=5), revision=1)
    with pytest.raises(ChangedMeanwhileError):
        schedules.change_schedule(found, with_changes(schedule_values(found), catch_up=6), revision=1)
    assert Schedule.objects.get(id=found).catch_up == 5
    schedules.delete_schedule(found)
    for ask in (schedules.delete_schedule, schedules.trigger_schedule, reads.get_schedule):
        with pytest.raises(ScheduleNotFoundError):
            ask(found)


def test_a_new_rule_counts_from_now_and_another_change_keeps_the_moment(connection: Any) -> None:
    found = make()
    moment = due(found, timedelta(seconds=-500))
    values = schedule_values(found)

    schedules.change_schedule(found, with_changes(values, catch_up=7))
    assert Schedule.objects.get().due_at == moment
    schedules.change_schedule(found, with_changes(values, rule="60"))
    changed = Schedule.objects.get().due_at
    assert changed is not None and changed < moment


def test_what_people_see(connection: Any, django_assert_num_queries: Any) -> None:
    found = make(rule="0 * * * *")
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    connection.execute("update durable_schedule set due_at = %s, created_at = %s", [hour, hour - timedelta(days=2)])
    schedules.fire_due(connection)

    with django_assert_num_queries(4):  # schedule; workers, executions, their open operations
        row = reads.get_schedule(found)
        firings = reads.last_firings(row)
    assert reads.next_firings(row)[:2] == [hour + timedelta(hours=1), hour + timedelta(hours=2)]
    assert [one.moment for one in firings] == [hour - timedelta(hours=n) for n in range(10)]
    assert [one.execution is not None for one in firings] == [True] + [False] * 9
    assert [one.name for one in reads.list_schedules()] == ["nightly"]


def schedule_values(schedule_id: int) -> ScheduleValues:
    row = reads.get_schedule(schedule_id)
    values = {name: getattr(row, name) for name in ScheduleValues.__slots__}
    return ScheduleValues(**values | {"overlap": Overlap(row.overlap)})


def with_changes(values: ScheduleValues, **changes: Any) -> ScheduleValues:
    return ScheduleValues(**{name: getattr(values, name) for name in ScheduleValues.__slots__} | changes)
