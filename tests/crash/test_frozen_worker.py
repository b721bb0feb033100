"""A worker that stands still until its claims were taken over, and then goes on: nothing that it writes counts. Long: `make crash`."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.crash import ledger
from tests.crash.functions import STEPS, crash_ten
from tests.crash.worker import CeleryWorker
from tests.waiting import wait_until

MODULES = ["tests.crash.functions", "tests.crash.short_claims"]
EXECUTIONS = 16  # all in flight in the worker that is frozen
TAKEN_OVER = """
    select count(*) = 0 from durable_execution e join durable_worker w on w.boot_id = e.claimed_by
     where e.claim_id is not null and w.pid = any(%s)"""
# Taken out of the ledger before it is judged: what invocations from before the freeze began after the thaw.
STALE = """
    delete from crash_ledger
     where id > %(last)s and request_id in (select request_id from crash_ledger where id <= %(last)s and pid = any(%(pids)s))
    returning execution"""


@dataclass(frozen=True)
class Thawed:
    """`stale_bodies`: begun after the thaw by invocations from before the freeze, per execution; the one being entered is allowed."""

    finished: bool
    verdict: ledger.Verdict
    stale_bodies: Counter[str]

    @property
    def is_clean(self) -> bool:
        return self.finished and self.verdict.is_clean and max(self.stale_bodies.values(), default=0) <= 1


def freeze(ground: psycopg.Connection[Any], worker: CeleryWorker, successor: CeleryWorker) -> Thawed:
    """Freezes `worker` in mid-flight, lets `successor` take over and get on, thaws, and waits for the end."""
    chance = random.Random(3)
    for number in range(EXECUTIONS):
        crash_ten.start({"name": str(number), "milliseconds": [chance.randint(150, 500) for _ in range(STEPS)]}, name=str(number))
    with worker:
        wait_for(ground, "select count(*) > 30 from crash_ledger")
        frozen = worker.pids
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)
        last = ground.execute("select max(id) from crash_ledger").fetchone()
        assert last is not None
        with successor:
            wait_for(ground, TAKEN_OVER, (frozen,))
            wait_for(ground, "select count(*) > 12 from crash_ledger where pid = any(%s)", (successor.pids,))
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
            finished = ledger.wait_for_rest(ground, EXECUTIONS)
    stale = Counter(execution for (execution,) in ground.execute(STALE, {"last": last[0], "pids": frozen}))
    return Thawed(finished, ledger.judge(ground, frozen), stale)


def wait_for(ground: psycopg.Connection[Any], query: str, params: tuple[Any, ...] = ()) -> None:
    wait_until(lambda: ground.execute(query, params).fetchone() == (True,), lambda: query)


@pytest.mark.parametrize("broken", ["", "tests.crash.broken.no_fence"])
def test_a_thawed_worker_writes_nothing(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, is_long: bool, broken: str, figures: Callable[..., None]
) -> None:
    if not is_long:
        pytest.skip("a freeze must outlast a claim: make crash")
    modules = [*MODULES, *([broken] if broken else [])]
    workers = [CeleryWorker(database_url, data, modules=modules, children=1, threads=16, broker=broker) for _ in range(2)]
    found = freeze(ground, *workers)
    stale = sum(found.stale_bodies.values())
    figures("frozen worker", broken=broken, finished=found.finished, stale_bodies=stale, **vars(found.verdict))
    assert found.is_clean is not bool(broken), f"{found}\n{workers[1].tail()}"
