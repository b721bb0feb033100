"""What open pages cost: `python -m tests.benchmarks.polling [ROUNDS]`, the product served, W1 without and with 200 pages that poll.

Half of the pages show executions that ended and ask for nothing; half wait, and each asks every two seconds as the console does. The
client of those pages shares the machine, so its own CPU time is told apart and taken off. One JSON line for the CPU time of quiet polls
(which says the same on a busy machine), one per round, one of the medians; ends 1 when pages cost more than 5 %.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

from durable_ops.serve.layout import Layout
from tests.benchmarks.measuring import STEPS, cpu_seconds
from tests.benchmarks.open_pages import Browser, OpenPages
from tests.serving import Serving

PAGES = 200
EVERY_SECONDS = 2.0
EXECUTIONS = 8_000
QUIET_SECONDS = 20.0
MOST_COST = 0.05
CORES = len(os.sched_getaffinity(0))

_SPAN = """
select case when count(*) filter (where status <> 'SUCCEEDED') = 0 then extract(epoch from max(ended_at) - min(started_at))::float8 end
  from durable_execution where function = 'bench-ten' and id >= %s
"""
_OPEN = "select 1 from durable_execution where function = 'bench-ten' and id >= %s and ended_at is null limit 1"


def start(serving: Serving, function: str, count: int, event: str) -> list[str]:
    code = f"from execution_engine import start_many; print(*[handle.id for handle in start_many('bench-{function}', [{event}] * {count})])"
    return serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1].split()


def steps_per_second(serving: Serving, database: psycopg.Connection[Any]) -> float:
    """By the rows: from the first start to the last end."""
    first = min(start(serving, "ten", EXECUTIONS, "{}"))
    while database.execute(_OPEN, [first]).fetchone():
        time.sleep(1)
    row = database.execute(_SPAN, [first]).fetchone()
    assert row is not None and row[0], "an execution did not succeed"
    return EXECUTIONS * STEPS / float(row[0])


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


def rounds_of(serving: Serving, database: psycopg.Connection[Any], browser: Browser, paths: list[str], rounds: int) -> list[float]:
    """What each round cost; which of the two comes first alternates, so that a machine that gets slower favours neither."""
    costs = []
    for number in range(rounds):
        rates = {}
        for is_beside in (True, False) if number % 2 else (False, True):
            if is_beside:
                with OpenPages(browser, paths, EVERY_SECONDS) as pages:
                    time.sleep(EVERY_SECONDS)
                    rates[True] = steps_per_second(serving, database)
            else:
                rates[False] = steps_per_second(serving, database)
        whole, client = 1 - rates[True] / rates[False], pages.cpu / pages.wall / CORES
        costs.append(whole - client)
        line = {"without": round(rates[False]), "beside": round(rates[True]), "whole": round(whole, 4), "client": round(client, 4)}
        print(json.dumps({**line, "cost": round(costs[-1], 4), "quiet": pages.quiet, "news": pages.news}), flush=True)  # noqa: T201
    return costs


def main(rounds: int) -> int:
    environment = {"DURABLE_FUNCTION_MODULES": "tests.benchmarks.functions", "DEMO_PASSWORD": "bench"}
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", "--workers", "2", environment=environment) as serving:
        browser = Browser(serving.address, "bench")
        waiting = start(serving, "sleeper", PAGES // 2, '{"seconds": 7200}')
        with psycopg.connect(Layout(serving.data).database_url, autocommit=True) as database:
            steps_per_second(serving, database)  # what is cold gets warm
            paths = [path for one in waiting if (path := browser.live_address(one))]
            assert len(paths) == PAGES // 2, "an open page does not poll"
            polls = quiet_polls(serving, database, OpenPages(browser, paths, EVERY_SECONDS))
            print(json.dumps({"figure": "cpu_of_a_quiet_poll", **polls}), flush=True)  # noqa: T201
            cost = statistics.median(rounds_of(serving, database, browser, paths, rounds))
    print(json.dumps({"figure": "polling_cost_of_w1", "value": round(cost, 4), "must": MOST_COST}))  # noqa: T201
    return int(cost > MOST_COST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
