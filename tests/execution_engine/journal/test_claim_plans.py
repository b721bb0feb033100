"""Claims read what they take, however much waits: the plans of both statements over a long queue and long lines."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from execution_engine.core.limits import Limits
from execution_engine.journal import claims
from execution_engine.models import FunctionVersion
from execution_engine.services.executions import start_execution
from execution_engine.services.limits import set_limits

MANY = 20_000
TAKEN = 10
FILL = """
insert into durable_execution (
  id, function_version_id, function, version, name, status, started_at, due_at, retention_days, invocations, failed_invocations,
  is_suspect, runs_alone, event_seq, checkpoint_seq, wake_seq, told_seq, last_event_at, status_text, attributes, started_by,
  owes_parent, redrive_count, concurrency_key, line, claim_id)
select gen_random_uuid(), %(version)s, 'test-journal', '1', 'n' || n || gen_random_uuid(), 'RUNNING', now(),
       now() - interval '1 day' + n * interval '1 ms', 14, 0,
       0, false, false, 1, 0, 0, -1, now(), '', '{}', '', false, 0, %(key)s, %(line)s,
       null
  from generate_series(1, %(number)s) n
"""


@pytest.fixture
def version(connection: psycopg.Connection[Any]) -> int:
    start_execution("test-journal", "{}")
    return int(FunctionVersion.objects.get(function="test-journal").id)


def fill(connection: psycopg.Connection[Any], version: int, number: int = MANY, key: str | None = None, line: str | None = None) -> None:
    connection.execute(FILL, {"version": version, "number": number, "key": key, "line": line})
    connection.execute("analyze durable_execution")


def plan(connection: psycopg.Connection[Any], version: int, *, limited: bool) -> dict[str, Any]:
    """The executed plan of a claim of ten, rolled back."""
    values = {"versions": [version], "worker": uuid4(), "limit": TAKEN, "claim_seconds": 30, "suspects": False, "alone": False}
    params = {**values, "now": None, "grace_seconds": 30}
    with connection.transaction(force_rollback=True):
        row = connection.execute(f"explain (analyze, format json) {claims._claim_statement(limited)}", params).fetchone()
    assert row is not None
    found: dict[str, Any] = (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"]
    return found


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What of the plan reads executions."""
    if node.get("Relation Name") == "durable_execution" and "Scan" in node["Node Type"]:
        yield node
    for inner in node.get("Plans", ()):
        yield from scans(inner)


def rows_read(node: dict[str, Any]) -> int:
    return int(sum((one["Actual Rows"] + one.get("Rows Removed by Filter", 0)) * one["Actual Loops"] for one in scans(node)))


def test_without_limits_the_queue_is_read_from_its_index(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)

    found = plan(connection, version, limited=False)

    assert {one.get("Index Name") for one in scans(found)} >= {"execution_claim_loop"}
    assert all(one["Node Type"] != "Seq Scan" for one in scans(found))
    assert rows_read(found) <= 3 * TAKEN


def test_long_lines_are_passed_in_one_step(connection: psycopg.Connection[Any], version: int) -> None:
    """Two keys that are full, each with a long line, stand in front of one that is not."""
    set_limits("test-journal", Limits(per_key=1))
    for key in ("a", "b"):
        fill(connection, version, key=key, line=key)
    fill(connection, version, 3, key="c", line="c")
    connection.execute(
        "update durable_execution set claim_id = gen_random_uuid(), line = null, due_at = now() + interval '30 s'"
        " where id in (select (array_agg(id))[1] from durable_execution where line in ('a', 'b') group by line)"
    )

    found = plan(connection, version, limited=True)

    assert all(one["Node Type"] != "Seq Scan" for one in scans(found))
    assert rows_read(found) <= 100
    assert [one.name for one in take(connection, version)], "the key that is free"


def test_those_that_wait_for_their_start_do_not_stand_in_the_way(connection: psycopg.Connection[Any], version: int) -> None:
    set_limits("test-journal", Limits(starts=1, seconds=3600, burst=1))
    fill(connection, version, line="")

    found = plan(connection, version, limited=True)

    assert rows_read(found) <= 100


def take(connection: psycopg.Connection[Any], version: int) -> list[claims.Claim]:
    return claims.claim(connection, versions=[version], worker=uuid4(), limit=TAKEN, claim_seconds=30, limited=True)
