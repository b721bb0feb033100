"""Claims read what they take, however much waits: the plan of each statement over a long queue and long lines."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from execution_engine.core.limits import Limits
from execution_engine.journal import claims, limited, statements
from execution_engine.journal.statements import statement
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


class Explained:
    """A connection that notes the executed plan of every statement, rolled back, before it runs it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.plans: dict[str, dict[str, Any]] = {}

    def execute(self, text: str, params: dict[str, Any], *, binary: bool) -> psycopg.Cursor[Any]:
        with self._connection.transaction(force_rollback=True):
            row = self._connection.execute(f"explain (analyze, format json) {text}", params).fetchone()
        assert row is not None
        name = next(name for name, known in statements._statements().items() if text.startswith(known))
        self.plans[name] = (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"]
        return self._connection.execute(text, params, binary=binary)


def claim(connection: psycopg.Connection[Any], version: int, look: Any) -> tuple[list[claims.Claim], dict[str, dict[str, Any]]]:
    """Ten at most, and the plan of each statement by its name."""
    explained = Explained(connection)
    found = look(explained, versions=[version], worker=uuid4(), limit=TAKEN, claim_seconds=30)
    whole = [name for name, plan in explained.plans.items() if any(one["Node Type"] == "Seq Scan" for one in scans(plan))]
    assert whole == [], "these read the whole table"
    return found, explained.plans


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What of the plan reads executions."""
    if node.get("Relation Name") == "durable_execution" and "Scan" in node["Node Type"]:
        yield node
    for inner in node.get("Plans", ()):
        yield from scans(inner)


def rows_read(node: dict[str, Any]) -> int:
    return int(sum((one["Actual Rows"] + one.get("Rows Removed by Filter", 0)) * one["Actual Loops"] for one in scans(node)))


def indexes(node: dict[str, Any]) -> set[str]:
    own = {node["Index Name"]} if "Index Name" in node else set()
    return own.union(*(indexes(inner) for inner in node.get("Plans", ())))


def test_without_limits_the_queue_is_read_from_its_index(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)

    found, plans = claim(connection, version, claims.claim)

    assert len(found) == TAKEN
    assert "execution_claim_loop" in indexes(plans["claim_executions"])
    assert rows_read(plans["claim_executions"]) <= 3 * TAKEN


def test_where_nobody_waits_for_a_limit_one_statement_says_so(connection: psycopg.Connection[Any], version: int) -> None:
    set_limits("test-journal", Limits(concurrency=5))
    connection.execute("update durable_execution set claim_id = gen_random_uuid(), due_at = now() + interval '30 s'")

    found, plans = claim(connection, version, limited.claim)

    assert (found, list(plans)) == ([], ["read_turns"])


def test_where_nobody_may_go_two_statements_say_so(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)
    set_limits("test-journal", Limits(concurrency=1))
    connection.execute(
        "update durable_execution set claim_id = gen_random_uuid(), due_at = now() + interval '30 s'"
        " where name = (select min(name) from durable_execution)"
    )

    found, plans = claim(connection, version, limited.claim)

    assert (found, list(plans)) == ([], ["read_turns", "count_held"])
    assert "execution_claims" in indexes(plans["count_held"])
    assert rows_read(plans["read_turns"]) + rows_read(plans["count_held"]) <= 20


def test_a_turn_reads_what_it_takes(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)
    set_limits("test-journal", Limits(concurrency=TAKEN))

    found, plans = claim(connection, version, limited.claim)

    assert len(found) == TAKEN
    assert list(plans) == ["read_turns", "count_held", "read_waiting", "claim_limited"]
    assert "execution_claim_loop" in indexes(plans["read_turns"]) & indexes(plans["read_waiting"])
    assert rows_read(plans["read_waiting"]) <= 2 * TAKEN
    assert rows_read(plans["claim_limited"]) <= 3 * TAKEN


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

    found, plans = claim(connection, version, limited.claim)

    assert len(found) == 2, "of the key that is free, and the one without a key"
    assert "execution_lines" in indexes(plans["next_lines"]) & indexes(plans["read_waiting"])
    assert sum(rows_read(plan) for plan in plans.values()) <= 100


def test_those_that_wait_for_their_start_do_not_stand_in_the_way(connection: psycopg.Connection[Any], version: int) -> None:
    set_limits("test-journal", Limits(starts=1, seconds=3600, burst=1))
    fill(connection, version, line="")

    found, plans = claim(connection, version, limited.claim)

    assert len(found) == 1
    assert sum(rows_read(plan) for plan in plans.values()) <= 100


def test_a_client_reads_the_text_of_a_claim_once() -> None:
    """psycopg keeps what it made of a statement up to this length, and reads a longer one anew each time."""
    for name in ("claim_executions", "claim_limited"):
        assert len(f"{statement(name)} {statement('claim_found')}") <= MAX_CACHED_STATEMENT_LENGTH
    for name in ("read_turns", "count_held", "next_lines", "read_waiting", "outlook", "flush"):
        assert len(statement(name)) <= MAX_CACHED_STATEMENT_LENGTH
