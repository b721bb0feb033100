"""What workers ask again and again, and under a lock: no answer reads everything that waits, or everything that has ended."""

from typing import Any

import psycopg

from execution_engine.journal import claims, store, unserved
from execution_engine.models import Execution
from execution_engine.sdk.registry import register
from execution_engine.services.executions import start_execution
from tests.execution_engine.journal.plans import MANY, Explained, fill, indexes, rows_read, scans

ENDED = """
insert into durable_operation (execution_id, id, type, status, attempt, replay_children, started_at, ended_at, start_event)
select %(id)s, 'o' || n, 'STEP', 'SUCCEEDED', 1, false, now(), now(), n from generate_series(1, %(number)s) n"""
SERVED = """
insert into durable_worker (
  boot_id, host, pid, parent_pid, process_started_at, started_at, seen_at, threads, in_flight, lost_threads, is_draining, version_ids)
values (gen_random_uuid(), '', 1, 1, '', now(), now(), 1, 0, 0, false, jsonb_build_array(%(version)s::int8))"""


def test_what_is_asked_after_a_claim_is_not_read_from_the_queue(connection: psycopg.Connection[Any], version: int) -> None:
    """Asked after every claim, so that a look through what is due would cost each claim of a flood the whole flood."""
    fill(connection, version)
    explained = Explained(connection)

    assert not claims.has_suspects(explained, [version])
    assert not claims.outlook(explained, [version]).has_suspects

    assert max(rows_read(plan) for plan in explained.plans.values()) <= 2


def test_timers_are_read_of_versions_that_nobody_serves_only(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)
    connection.execute(SERVED, {"version": version})
    register(lambda event, context: event, name="test-unserved")
    start_execution("test-unserved", "{}")
    explained = Explained(connection)

    unserved.fire_due(explained)

    (plan,) = explained.plans.values()
    assert rows_read(plan) == 1
    assert not any(one["Node Type"] == "Seq Scan" for one in scans(plan))


def test_the_next_timer_is_found_among_many_operations_that_ended(connection: psycopg.Connection[Any], version: int) -> None:
    execution_id = Execution.objects.get().id
    connection.execute(ENDED, {"id": execution_id, "number": MANY})
    connection.execute("analyze durable_operation")
    explained = Explained(connection)

    store.nearest_timer(explained, execution_id)

    assert indexes(explained.plans["nearest_timer"]) == {"operation_open"}
