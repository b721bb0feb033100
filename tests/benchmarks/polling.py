"""What open pages cost: `python -m tests.benchmarks.polling [PAIRS]`, the product served, W1 without and with 200 pages that poll.

Half of the pages show executions that ended and ask for nothing; half wait, and each asks every two seconds as the console does. W1 runs
in bursts, by turns without and with the pages and in mirrored order, so a machine that gets slower favours neither; before each burst
PostgreSQL has tidied up behind the one before. The client of those pages shares the machine; its own CPU time is told apart and taken
off. One JSON line for the CPU time of quiet polls (which says the same on a busy machine), one per pair, one of the mean with its standard
error; ends 1 when pages cost more than 5 %.
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
EXECUTIONS = 4_000
PAIRS = 20
QUIET_SECONDS = 20.0
MOST_COST = 0.05
CORES = len(os.sched_getaffinity(0))

_SPAN = """
select extract(epoch from max(ended_at) - min(started_at))::float8, count(*) filter (where status <> 'SUCCEEDED')
  from durable_execution where function = 'bench-ten' and id >= %s
"""
_OPEN = "select 1 from durable_execution where function = 'bench-ten' and ended_at is null limit 1"
_BUSY = "select 1 from pg_stat_activity where state = 'active' and backend_type in ('client backend', 'autovacuum worker') and pid <> %s"


def start(serving: Serving, function: str, count: int, event: str) -> list[str]:
    code = f"from execution_engine import start_many; print(*[handle.id for handle in start_many('bench-{function}', [{event}] * {count})])"
    return serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1].split()


def steps_per_second(serving: Serving, database: psycopg.Connection[Any]) -> float:
    """Of one burst, by the rows: from the first start to the last end."""
    tidy_up(database)
    first = min(start(serving, "ten", EXECUTIONS, "{}"))
    while database.execute(_OPEN).fetchone():
        time.sleep(0.5)
    row = database.execute(_SPAN, [first]).fetchone()
    assert row is not None and row[1] == 0, "an execution did not succeed"
    return EXECUTIONS * STEPS / float(row[0])


def tidy_up(database: psycopg.Connection[Any]) -> None:
    """What a burst leaves behind (dead rows, dirty pages, costs to be booked) is not the next one's."""
    database.execute("vacuum analyze")
    database.execute("checkpoint")
    quiet = 0
    while quiet < 10:
        quiet = 0 if database.execute(_BUSY, [database.info.backend_pid]).fetchone() else quiet + 1
        time.sleep(0.05)


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


def cost_of_a_pair(serving: Serving, database: psycopg.Connection[Any], browser: Browser, paths: list[str], pages_first: bool) -> float:
    """What the pages cost, a share of W1 without them."""
    rates = {}
    for is_beside in (pages_first, not pages_first):
        if is_beside:
            with OpenPages(browser, paths, EVERY_SECONDS) as pages:
                rates[True] = steps_per_second(serving, database)
        else:
            rates[False] = steps_per_second(serving, database)
    assert pages.quiet, "no page asked"
    client = pages.cpu / pages.wall / CORES
    cost = 1 - rates[True] / rates[False] - client
    line = {"without": round(rates[False]), "beside": round(rates[True]), "client": round(client, 4), "cost": round(cost, 4)}
    print(json.dumps({**line, "quiet": pages.quiet, "news": pages.news}), flush=True)  # noqa: T201
    return cost


def summary(costs: list[float]) -> dict[str, float]:
    error = statistics.stdev(costs) / len(costs) ** 0.5
    return {"cost": round(statistics.mean(costs), 4), "standard_error": round(error, 4)}


def main(pairs: int) -> int:
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
            costs = [cost_of_a_pair(serving, database, browser, paths, bool(number % 2)) for number in range(pairs)]
    found = summary(costs)
    print(json.dumps({"figure": "polling_cost_of_w1", **found, "must": MOST_COST}))  # noqa: T201
    return int(found["cost"] > MOST_COST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
