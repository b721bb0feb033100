"""What open pages cost: `python -m tests.benchmarks.polling [ROUNDS]`, the product served, W1 without and with 200 pages that poll.

Half of the pages show executions that ended and ask for nothing; half wait, and each asks every two seconds as the console does. In a
round the engine works off a long queue of W1, and spans of three seconds without and with the pages take turns in mirrored order, so
nothing that comes and goes (a vacuum, a checkpoint, a slower machine) favours either for long. The client of those pages shares the
machine; its own CPU time is told apart and taken off. One JSON line for the CPU time of quiet polls (which says the same on a busy
machine), one for each round and one for all, each with its standard error; ends 1 when pages cost more than 5 %.
"""

import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
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
SPAN_SECONDS = 3.0
EXECUTIONS = 50_000
AT_ONCE = 10_000
ROUNDS = 3
QUIET_SECONDS = 20.0
MOST_COST = 0.05
CORES = len(os.sched_getaffinity(0))

_OPEN = "select count(*) from durable_execution where function = 'bench-ten' and ended_at is null"
_ENDED = """
select count(*), count(*) filter (where status <> 'SUCCEEDED')
  from durable_execution where function = 'bench-ten' and ended_at >= to_timestamp(%s) and ended_at < to_timestamp(%s)
"""
_BUSY = "select 1 from pg_stat_activity where state = 'active' and backend_type in ('client backend', 'autovacuum worker') and pid <> %s"


@dataclass(frozen=True, slots=True)
class Pair:
    """Steps per second in two spans, one after the other."""

    without: float
    beside: float


def start(serving: Serving, function: str, count: int, event: str) -> list[str]:
    code = f"from execution_engine import start_many; print(*[handle.id for handle in start_many('bench-{function}', [{event}] * {count})])"
    return serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1].split()


def queue_up(serving: Serving, database: psycopg.Connection[Any], count: int) -> None:
    tidy_up(database)
    for _ in range(0, count, AT_ONCE):
        start(serving, "ten", min(count, AT_ONCE), "{}")


def still_open(database: psycopg.Connection[Any]) -> int:
    row = database.execute(_OPEN).fetchone()
    assert row is not None
    return int(row[0])


def work_off(database: psycopg.Connection[Any]) -> None:
    while still_open(database):
        time.sleep(0.5)


def steps_per_second(database: psycopg.Connection[Any], span: tuple[float, float]) -> float:
    """By the rows: of executions that ended in this span."""
    row = database.execute(_ENDED, span).fetchone()
    assert row is not None and row[1] == 0, "an execution did not succeed"
    return int(row[0]) * STEPS / (span[1] - span[0])


def tidy_up(database: psycopg.Connection[Any]) -> None:
    """What a round leaves behind (dead rows, dirty pages, costs to be booked) is not the next one's."""
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


def measure_round(serving: Serving, database: psycopg.Connection[Any], browser: Browser, paths: list[str]) -> tuple[list[Pair], float]:
    """Pairs of spans until the queue is nearly empty, and the client's share of the machine while the pages asked."""
    queue_up(serving, database, EXECUTIONS)
    spans: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    with OpenPages(browser, paths, EVERY_SECONDS, asks=False) as pages:
        for number in itertools.count():
            if still_open(database) < EXECUTIONS // 8:
                break
            for is_beside in (False, True) if number % 2 else (True, False):
                pages.asks, began = is_beside, time.time()
                time.sleep(SPAN_SECONDS)
                spans[is_beside].append((began, time.time()))
    work_off(database)
    assert pages.quiet, "no page asked"
    pairs = [Pair(*(steps_per_second(database, span) for span in pair)) for pair in zip(spans[False], spans[True], strict=True)]
    return pairs, pages.cpu / (SPAN_SECONDS * len(pairs)) / CORES


def summary(pairs: list[Pair], client: float) -> dict[str, float]:
    """The cost as a share of W1 without the pages."""
    without = statistics.mean(pair.without for pair in pairs)
    costs = [(pair.without - pair.beside) / without - client for pair in pairs]
    error = statistics.stdev(costs) / len(costs) ** 0.5
    return {
        "pairs": len(pairs),
        "steps_per_second": round(without),
        "client": round(client, 4),
        "cost": round(statistics.mean(costs), 4),
        "standard_error": round(error, 4),
    }


def emit(figure: str, **values: float) -> None:
    print(json.dumps({"figure": figure, **values}), flush=True)  # noqa: T201


def main(rounds: int) -> int:
    environment = {"DURABLE_FUNCTION_MODULES": "tests.benchmarks.functions", "DEMO_PASSWORD": "bench"}
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", "--workers", "2", environment=environment) as serving:
        browser = Browser(serving.address, "bench")
        waiting = start(serving, "sleeper", PAGES // 2, '{"seconds": 7200}')
        with psycopg.connect(Layout(serving.data).database_url, autocommit=True) as database:
            paths = [path for one in waiting if (path := browser.live_address(one))]
            assert len(paths) == PAGES // 2, "an open page does not poll"
            emit("cpu_of_a_quiet_poll", **quiet_polls(serving, database, OpenPages(browser, paths, EVERY_SECONDS)))
            queue_up(serving, database, AT_ONCE)  # what is cold gets warm
            work_off(database)
            measured = []
            for _ in range(rounds):
                measured.append(measure_round(serving, database, browser, paths))
                emit("polling_cost_of_a_round", **summary(*measured[-1]))
    found = summary([pair for pairs, _ in measured for pair in pairs], statistics.mean(client for _, client in measured))
    emit("polling_cost_of_w1", **found, must=MOST_COST)
    return int(found["cost"] > MOST_COST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
