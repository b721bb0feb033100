"""Our engine: `python -m tests.benchmarks.ours w1|w2|w5 DATABASE_URL DIRECTORY`, on a fresh database."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.measuring import LONG_STEPS, STEPS, Meter, answer_calls, emit, growth, replay_figures
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


def main(workload: str, url: str, directory: Path) -> None:
    worker = CeleryWorker(url, directory, modules=MODULES, children=CHILDREN, threads=THREADS)
    os.environ.update({name: worker.environment[name] for name in worker.environment})
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    with worker:
        {"w1": w1, "w2": w2, "w5": w5}[workload](url, worker)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
