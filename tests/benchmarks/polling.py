"""What open pages cost: `python -m tests.benchmarks.polling [ROUNDS]`, the product served, W1 without and with 200 pages that poll.

Half of the pages show executions that ended and ask for nothing; half wait, and each asks every two seconds as the console does. In a
round W1 runs without a pause while the pages come and go in slices, by turns and in mirrored order: neighbours in time are compared,
so a machine that gets slower favours neither. The client of those pages shares the machine; its own CPU time is told apart and taken
off. One JSON line for the CPU time of quiet polls (which says the same on a busy machine), one per round, one of the whole with its
standard error; ends 1 when pages cost more than 5 %.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg

from durable_ops.serve.layout import Layout
from tests.benchmarks.measuring import cpu_seconds
from tests.benchmarks.open_pages import Browser, OpenPages
from tests.serving import Serving

PAGES = 200
EVERY_SECONDS = 2.0
WARM_UP = 2_000
EXECUTIONS = 75_000
AT_ONCE = 5_000
SLICE_SECONDS = 2.0
SLICES = 40
QUIET_SECONDS = 20.0
MOST_COST = 0.05
CORES = len(os.sched_getaffinity(0))

_STEPS = "select count(*) from durable_operation where type = 'STEP' and ended_at >= %s and ended_at < %s"
_OPEN = "select 1 from durable_execution where function = 'bench-ten' and ended_at is null limit 1"


def start(serving: Serving, function: str, count: int, event: str) -> list[str]:
    """At most one piece of them is in memory at a time; answers the ids of the last piece."""
    code = f"""
from execution_engine import start_many
for begin in range(0, {count}, {AT_ONCE}):
    handles = start_many('bench-{function}', [{event}] * min({AT_ONCE}, {count} - begin))
print(*[handle.id for handle in handles])
"""
    return serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1].split()


def wait_until_ended(database: psycopg.Connection[Any]) -> None:
    while database.execute(_OPEN).fetchone():
        time.sleep(1)


def quiet_polls(serving: Serving, database: psycopg.Connection[Any], pages: OpenPages) -> dict[str, float]:
    """CPU time of web and PostgreSQL per poll while nothing else happens, without what they use when nobody asks."""
    web = psutil.Process(serving.pid_of("gunicorn"))
    server = psutil.Process(database.info.backend_pid).parent()

    def used(seconds: float) -> tuple[float, float]:
        before = cpu_seconds(web), cpu_seconds(server)
        time.sleep(seconds)
        return cpu_seconds(web) - before[0], cpu_seconds(server) - before[1]

    idle = used(QUIET_SECONDS)
    with pages:
        busy = used(QUIET_SECONDS)
    polls = QUIET_SECONDS / pages.pause
    web_ms, database_ms = ((after - before) / polls * 1000 for before, after in zip(idle, busy, strict=True))
    share = (web_ms + database_ms) / 1000 / pages.pause / CORES
    own = pages.cpu / (pages.quiet + pages.news) * 1000
    return {"web_ms": round(web_ms, 3), "postgres_ms": round(database_ms, 3), "client_ms": round(own, 3), "share_of_cpu": round(share, 4)}


@dataclass(frozen=True)
class Slice:
    """A stretch of W1: from when to when, the pages' polls, and what their client used of this machine, a share of all its cores."""

    is_beside: bool
    began: datetime
    ended: datetime
    client: float = 0.0
    polls: int = 0

    def steps_per_second(self, database: psycopg.Connection[Any]) -> float:
        row = database.execute(_STEPS, [self.began, self.ended]).fetchone()
        assert row is not None
        return float(row[0]) / (self.ended - self.began).total_seconds()


def slices(browser: Browser, paths: list[str]) -> Iterator[Slice]:
    for number in range(SLICES):
        is_beside = number % 4 in (1, 2)
        began = datetime.now(UTC)
        if not is_beside:
            time.sleep(SLICE_SECONDS)
            yield Slice(is_beside, began, datetime.now(UTC))
            continue
        with OpenPages(browser, paths, EVERY_SECONDS) as pages:
            time.sleep(SLICE_SECONDS)
            ended = datetime.now(UTC)
        yield Slice(is_beside, began, ended, pages.cpu / pages.wall / CORES, pages.quiet + pages.news)


def one_round(serving: Serving, database: psycopg.Connection[Any], browser: Browser, paths: list[str]) -> list[float]:
    """What the pages cost in each pair of neighbouring slices, a share of W1."""
    start(serving, "ten", EXECUTIONS, "{}")
    found = list(slices(browser, paths))
    assert database.execute(_OPEN).fetchone(), "W1 ended before the last slice"
    wait_until_ended(database)
    rates = [(one.is_beside, one.steps_per_second(database)) for one in found]
    mean = {beside: statistics.mean(rate for is_beside, rate in rates if is_beside is beside) for beside in (False, True)}
    client = statistics.mean(one.client for one in found if one.is_beside)
    pairs = [dict(rates[at : at + 2]) for at in range(0, SLICES, 2)]
    costs = [1 - pair[True] / pair[False] - client for pair in pairs]
    polls = sum(one.polls for one in found)
    assert polls, "no page asked"
    line = {"without": round(mean[False]), "beside": round(mean[True]), "client": round(client, 4), "polls": polls}
    print(json.dumps({**line, **summary(costs)}), flush=True)  # noqa: T201
    return costs


def summary(costs: list[float]) -> dict[str, float]:
    error = statistics.stdev(costs) / len(costs) ** 0.5
    return {"cost": round(statistics.mean(costs), 4), "standard_error": round(error, 4)}


def main(rounds: int) -> int:
    environment = {"DURABLE_FUNCTION_MODULES": "tests.benchmarks.functions", "DEMO_PASSWORD": "bench"}
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", "--workers", "2", environment=environment) as serving:
        browser = Browser(serving.address, "bench")
        waiting = start(serving, "sleeper", PAGES // 2, '{"seconds": 7200}')
        with psycopg.connect(Layout(serving.data).database_url, autocommit=True) as database:
            start(serving, "ten", WARM_UP, "{}")
            wait_until_ended(database)
            paths = [path for one in waiting if (path := browser.live_address(one))]
            assert len(paths) == PAGES // 2, "an open page does not poll"
            polls = quiet_polls(serving, database, OpenPages(browser, paths, EVERY_SECONDS))
            print(json.dumps({"figure": "cpu_of_a_quiet_poll", **polls}), flush=True)  # noqa: T201
            costs = [cost for _ in range(rounds) for cost in one_round(serving, database, browser, paths)]
    found = summary(costs)
    print(json.dumps({"figure": "polling_cost_of_w1", **found, "must": MOST_COST}))  # noqa: T201
    return int(found["cost"] > MOST_COST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
