"""A caller that sits on one execution's row delays that execution, and no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from execution_engine.journal.connections import LOCK_TIMEOUT_MS
from tests.crash import ledger
from tests.crash.functions import STEPS, crash_ten
from tests.crash.worker import CeleryWorker
from tests.waiting import wait_until

OTHERS = 60


def run_others(ground: psycopg.Connection[Any], label: str, ended_before: int) -> float:
    """Median milliseconds from a step's start to its end over the others' steps, whose bodies take 2 ms."""
    for number in range(OTHERS):
        crash_ten.start({"name": f"{label}-{number}", "milliseconds": [2] * STEPS}, name=f"{label}-{number}")
    assert ledger.wait_for_rest(ground, ended_before + OTHERS)
    query = """
        select 1000 * percentile_cont(0.5) within group (order by extract(epoch from o.ended_at - o.started_at))
          from durable_operation o join durable_execution e on e.id = o.execution_id where e.name like %s"""
    row = ground.execute(query, (f"{label}-%",)).fetchone()
    assert row is not None
    return float(row[0])


def test_a_locked_execution_delays_no_other(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, figures: Callable[..., None]
) -> None:
    with CeleryWorker(database_url, data, modules=["tests.crash.functions"], threads=16, broker=broker) as worker:
        free = run_others(ground, "free", 0)
        crash_ten.start({"name": "locked", "milliseconds": [30, 3_000, *[30] * (STEPS - 2)]}, name="locked")
        wait_until(lambda: ground.execute("select 1 from crash_ledger where execution = 'locked'").fetchone())
        with psycopg.connect(database_url) as caller:
            caller.execute("select 1 from durable_execution where name = 'locked' for update")
            held = run_others(ground, "held", OTHERS)  # which end at all: a writer that waited for the row would wait for this test
            still = caller.execute("select status from durable_execution where name = 'locked'").fetchone()
        assert still == ("RUNNING",)
        assert ledger.wait_for_rest(ground, 2 * OTHERS + 1), worker.tail()
    verdict = ledger.judge(ground, [])
    figures("locked row", median_step_ms_free=round(free, 2), median_step_ms_while_locked=round(held, 2), **vars(verdict))
    assert verdict.is_clean and not verdict.extra_attempts, verdict
    assert held < max(LOCK_TIMEOUT_MS, 3 * free), "steps of others waited until a statement gave the locked row up"
