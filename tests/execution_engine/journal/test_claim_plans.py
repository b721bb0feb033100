"""Claims read what they take, however much waits: the plan of each statement over a long queue and long lines."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from execution_engine.core.limits import Limits
from execution_engine.journal import claims, limited
from execution_engine.journal.claims import Claimer
from execution_engine.journal.statements import statement
from execution_engine.services.limits import set_limits
from tests.execution_engine.journal.plans import Explained, fill, indexes, rows_read, scans

TAKEN = 10


def claim(
    connection: psycopg.Connection[Any], version: int, look: Any, **options: Any
) -> tuple[list[claims.Claim], dict[str, dict[str, Any]]]:
    """Ten at most, and the plan of each statement by its name."""
    explained = Explained(connection)
    found = look(explained, Claimer(versions=[version], worker=uuid4(), limit=TAKEN, claim_seconds=30, **options))
    whole = [name for name, plan in explained.plans.items() if any(one["Node Type"] == "Seq Scan" for one in scans(plan))]
    assert whole == [], "these read the whole table"
    return found, explained.plans


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


def test_where_nobody_may_go_one_statement_says_so(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)
    set_limits("test-journal", Limits(concurrency=1))
    connection.execute(
        "update durable_execution set claim_id = gen_random_uuid(), due_at = now() + interval '30 s'"
        " where name = (select min(name) from durable_execution)"
    )

    found, plans = claim(connection, version, limited.claim)

    assert (found, list(plans)) == ([], ["read_turns"])
    assert "execution_claims" in indexes(plans["read_turns"])
    assert rows_read(plans["read_turns"]) <= 20


def test_a_turn_reads_what_it_takes(connection: psycopg.Connection[Any], version: int) -> None:
    fill(connection, version)
    set_limits("test-journal", Limits(concurrency=TAKEN))

    found, plans = claim(connection, version, limited.claim)

    assert len(found) == TAKEN
    assert list(plans) == ["read_turns", "read_waiting", "claim_limited"]
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


@pytest.mark.parametrize("limits", [None, Limits(concurrency=TAKEN)])
def test_suspects_are_found_behind_a_long_queue(connection: psycopg.Connection[Any], version: int, limits: Limits | None) -> None:
    fill(connection, version)
    if limits is not None:
        set_limits("test-journal", limits)
    behind = "select id from durable_execution order by due_at desc limit 1"
    connection.execute(f"update durable_execution set is_suspect = true where id = ({behind})")

    found, plans = claim(connection, version, limited.claim if limits else claims.claim, suspects=True, alone=True)

    assert len(found) == 1
    assert sum(rows_read(plan) for plan in plans.values()) <= 10


def test_a_client_reads_the_text_of_a_claim_once() -> None:
    """psycopg keeps what it made of a statement up to this length, and reads a longer one anew each time."""
    for name in ("claim_executions", "claim_suspects", "claim_limited"):
        assert len(f"{statement(name)} {statement('claim_found')}") <= MAX_CACHED_STATEMENT_LENGTH
    for name in ("read_turns", "next_lines", "read_waiting", "outlook", "flush"):
        assert len(statement(name)) <= MAX_CACHED_STATEMENT_LENGTH
