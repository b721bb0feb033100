"""Our engine: `python -m tests.benchmarks.ours w1|...|w6 DATABASE_URL DIRECTORY`, on a fresh database."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.measuring import (
    EVENTS,
    FAN_ITEMS,
    FAN_RUNS,
    LONE,
    LONG_STEPS,
    MANY_ITEMS,
    STEPS,
    TIMERS,
    Meter,
    answer_calls,
    emit,
    growth,
    latencies,
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


def start_many(function: Any, count: int, event: Any = None) -> list[Any]:
    import execution_engine

    return list(execution_engine.start_many(function, [event or {}] * count))


def wait_for(connection: psycopg.Connection[Any], count: int, pause: float = 0.02) -> None:
    while connection.execute("select count(*) from durable_execution where status = 'SUCCEEDED'").fetchone() < (count,):
        time.sleep(pause)


def w2(url: str, worker: CeleryWorker) -> None:
    """One execution of one step at a time: in the calling process, then started here and run by the worker."""
    from tests.benchmarks.functions import one

    answer_calls({"in process": lambda: one.run({}), "across processes": lambda: one.start({}).result(timeout=30)})


# When the step after the wait began, in seconds after the moment at which it was due.
LAGS = """
select extract(epoch from after.started_at - coalesce(sleep.due_at, sleep.ended_at))::float8
  from durable_operation after join durable_operation sleep using (execution_id)
 where after.name = 'after' and sleep.name = 'sleep' and after.execution_id = any(%s)"""

# All of them due at one moment, as no wait in whole seconds would be; told like every change from outside.
ALIGN = """
with due as (select clock_timestamp() + interval '2 seconds' as at), executions as (
  update durable_execution set due_at = at, wake_seq = wake_seq + 1 from due where id = any(%(ids)s) returning id, wake_seq, at)
update durable_operation o set due_at = at, wake_seq = e.wake_seq from executions e
 where o.execution_id = e.id and o.name = 'sleep' returning at"""


def w3(url: str, worker: CeleryWorker) -> None:
    """Executions that sleep until the same moment: how long until the last has gone on; then one timer at a time."""
    from tests.benchmarks.functions import sleeper

    with psycopg.connect(url, autocommit=True) as connection:
        ids = [handle.id for handle in start_many(sleeper, TIMERS, {"seconds": 600})]
        wait_for_operations(connection, ids, "sleep")
        time.sleep(1)
        due = connection.execute(ALIGN, {"ids": ids}).fetchall()[0][0]
        with Meter(connection, worker.parent) as meter:
            wait_for(connection, TIMERS)
        rows = connection.execute("select extract(epoch from ended_at - %s)::float8 from durable_execution where id = any(%s)", [due, ids])
        lags = [row[0] for row in rows]
        cpu = {"engine_cpu_ms": round(meter.engine / TIMERS * 1000, 3), "postgres_cpu_ms": round(meter.server / TIMERS * 1000, 3)}
        emit(
            "ours",
            "W3",
            mode="due at once",
            timers=TIMERS,
            wakes_per_s=round(TIMERS / max(lags)),
            drain_s=round(max(lags), 3),
            **latencies(lags),
            **cpu,
        )
        handles = []
        for _ in range(LONE):
            handles.append(sleeper.start({"seconds": 1}))
            time.sleep(0.05)
        for handle in handles:
            handle.result(timeout=30)
        lags = [row[0] for row in connection.execute(LAGS, [[handle.id for handle in handles]])]
    emit("ours", "W3", mode="lone", **latencies(lags))


def wait_for_operations(connection: psycopg.Connection[Any], ids: list[Any], name: str) -> None:
    """Until each has recorded it and given its claim back."""
    ready = """select count(*) from durable_execution e join durable_operation o on o.execution_id = e.id
                where o.name = %s and e.id = any(%s) and e.claim_id is null"""
    while connection.execute(ready, [name, ids]).fetchone() != (len(ids),):
        time.sleep(0.02)


def w4(url: str, worker: CeleryWorker) -> None:
    """Executions that wait for an answer each: given one after the other by one caller, then one at a time in quiet."""
    from execution_engine.services import callbacks
    from tests.benchmarks.functions import waiter

    with psycopg.connect(url, autocommit=True) as connection:
        answers = waiting(connection, waiter, EVENTS)
        with Meter(connection, worker.parent) as meter:
            for callback_id in answers:
                callbacks.succeed_callback(callback_id, "1")
            wait_for(connection, EVENTS)
        cpu = {"engine_cpu_ms": round(meter.engine / EVENTS * 1000, 3), "postgres_cpu_ms": round(meter.server / EVENTS * 1000, 3)}
        emit("ours", "W4", mode="one by one", events_per_s=round(EVENTS / meter.wall), **cpu)
        seconds = []
        for _ in range(LONE):
            (callback_id,) = waiting(connection, waiter, 1)
            time.sleep(0.02)
            done = connection.execute("select count(*) from durable_execution where status = 'SUCCEEDED'").fetchone()
            began = time.perf_counter()
            callbacks.succeed_callback(callback_id, "1")
            wait_for(connection, (done or (0,))[0] + 1, pause=0.001)
            seconds.append(time.perf_counter() - began)
    emit("ours", "W4", mode="lone", **latencies(seconds))


def waiting(connection: psycopg.Connection[Any], function: Any, count: int) -> list[str]:
    """Callback ids of as many fresh executions, all suspended."""
    ids = [handle.id for handle in start_many(function, count)]
    wait_for_operations(connection, ids, "answer")
    return [
        row[0]
        for row in connection.execute("select callback_id from durable_operation where execution_id = any(%s) and name = 'answer'", [ids])
    ]


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
        {"w1": w1, "w2": w2, "w3": w3, "w4": w4, "w5": w5, "w6": w6}[workload](url, worker)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
