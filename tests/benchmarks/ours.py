"""Our engine: `python -m tests.benchmarks.ours w1|w2|w5|w6 DATABASE_URL DIRECTORY`, on a fresh database."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.measuring import (
    FAN_ITEMS,
    FAN_RUNS,
    LONG_STEPS,
    MANY_ITEMS,
    STEPS,
    Meter,
    answer_calls,
    emit,
    growth,
    peak_megabytes,
    replay_figures,
)
from tests.crash.worker import CeleryWorker

MODULES = ["tests.benchmarks.functions"]
EXECUTIONS = int(os.environ.get("BENCH_EXECUTIONS", "3000"))
CHILDREN = 2
THREADS = int(os.environ.get("BENCH_THREADS", "64"))


def w1(url: str, worker: CeleryWorker) -> None:
    """Executions of ten steps through a real worker of two children, from the first start to the last end."""
    from tests.benchmarks.functions import ten

    with psycopg.connect(url, autocommit=True) as connection:
        start_many(ten, 200)
        wait_for(connection, 200)
        connection.execute("checkpoint")
        with Meter(connection, worker.parent) as meter:
            start_many(ten, EXECUTIONS)
            wait_for(connection, 200 + EXECUTIONS)
    emit("ours", "W1", **meter.throughput(EXECUTIONS, EXECUTIONS * STEPS))


def start_many(function: Any, count: int) -> None:
    import execution_engine

    execution_engine.start_many(function, [{}] * count)


def wait_for(connection: psycopg.Connection[Any], count: int) -> None:
    while connection.execute("select count(*) from durable_execution where status = 'SUCCEEDED'").fetchone() < (count,):
        time.sleep(0.02)


def w2(url: str, worker: CeleryWorker) -> None:
    """One execution of one step at a time: in the calling process, then started here and run by the worker."""
    from tests.benchmarks.functions import one

    answer_calls({"in process": lambda: one.run({}), "across processes": lambda: one.start({}).result(timeout=30)})


def w5(url: str, worker: CeleryWorker) -> None:
    """2,000 steps in this process; then the worker replays them after a suspension."""
    from tests.benchmarks.functions import MOMENTS, long

    handle = long.run({})
    first = MOMENTS[-1]
    moments = handle.result(timeout=60)
    figures = {"steps_per_s": round(LONG_STEPS / (first[-1] - first[0])), **growth(first)}
    emit("ours", "W5", **figures, **replay_figures(moments))


def w6(url: str, worker: CeleryWorker) -> None:
    """Maps of a step per item, 50 at a time, each from its start to its result; then a large one, its replay and the memory it took."""
    from tests.benchmarks.functions import fan

    for _ in range(4):  # both children
        fan.start({"items": 100}).result(timeout=60)
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(FAN_RUNS):
            connection.execute("checkpoint")
            with Meter(connection, worker.parent) as meter:
                handle = fan.start({"items": FAN_ITEMS})
                handle.result(timeout=60)
            # As the rows have it: a caller that waits looks now and then only.
            took = connection.execute("select ended_at - started_at from durable_execution where id = %s", [handle.id]).fetchone()
            meter.wall = took[0].total_seconds() if took else 0.0
            emit("ours", "W6", **meter.items(FAN_ITEMS))
    small, many = growing(FAN_ITEMS), growing(MANY_ITEMS)
    figures = {
        "first_run_growth": round(many["first_us"] / small["first_us"], 2),
        "replay_growth": round(many["replay_us"] / small["replay_us"], 2),
        "resume_growth": round(many["resume_us"] / small["resume_us"], 2),
    }
    emit("ours", "W6 large", **many, **figures, worker_mb=peak_megabytes(worker.pids))


def growing(items: int) -> dict[str, float]:
    """Microseconds per item: of the first run, of the map's replay, and of the whole invocation that replays it, loading included."""
    from execution_engine.selectors.history import list_events
    from tests.benchmarks.functions import fan_again

    handle = fan_again.start({"items": items})
    replay = handle.result(timeout=300)
    ends = [event for event in list_events(handle.id, limit=50_000) if event["EventType"] == "InvocationCompleted"]
    first, second = ((end["EventTimestamp"] - end["InvocationCompletedDetails"]["StartTimestamp"]).total_seconds() for end in ends)
    each = {"first_us": first, "replay_us": replay, "resume_us": second}
    return {"items": items, **{name: round(seconds / items * 1e6, 1) for name, seconds in each.items()}}


def main(workload: str, url: str, directory: Path) -> None:
    worker = CeleryWorker(url, directory, modules=MODULES, children=CHILDREN, threads=THREADS)
    os.environ.update({name: worker.environment[name] for name in worker.environment})
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    with worker:
        {"w1": w1, "w2": w2, "w5": w5, "w6": w6}[workload](url, worker)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
