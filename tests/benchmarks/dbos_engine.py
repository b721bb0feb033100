"""DBOS Transact with the best settings found for it: `python -m tests.benchmarks.dbos_engine w1|...|w6 DATABASE_URL`.

Workflows are started in the process that executes them, without its queues: those are polled and were slower in each measure.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from typing import Any

import psycopg
from dbos import DBOS, DBOSConfig, SendMessage

from tests.benchmarks.measuring import (
    FAN_ITEMS,
    FAN_LIMIT,
    FAN_RUNS,
    LONG_STEPS,
    OTHER_EVENTS,
    PAYLOAD,
    STEPS,
    Meter,
    answer_calls,
    emit,
    growth,
    latencies,
    replay_figures,
)

EXECUTIONS = int(os.environ.get("BENCH_DBOS_EXECUTIONS", "300"))
RESUMED = threading.Event()
MOMENTS: list[list[float]] = []
LAGS: list[float] = []


@DBOS.step()
def step() -> dict[str, Any]:
    return PAYLOAD


@DBOS.workflow()
def ten() -> dict[str, Any]:
    for _ in range(STEPS):
        step()
    return PAYLOAD


@DBOS.workflow()
def one() -> dict[str, Any]:
    return step()


@DBOS.workflow()
def long() -> str:
    moments = [time.perf_counter()]
    MOMENTS.append(moments)
    for _ in range(LONG_STEPS):
        step()
        moments.append(time.perf_counter())
    RESUMED.set()
    DBOS.recv("go", timeout_seconds=120)
    return "done"


@DBOS.step()
async def async_step() -> dict[str, Any]:
    return PAYLOAD


@DBOS.workflow()
async def sleeper(due: float) -> None:
    await async_step()
    await DBOS.sleep_async(max(due - time.time(), 0.01))
    await async_step()
    LAGS.append(time.time() - due)


@DBOS.workflow()
async def waiter() -> None:
    await async_step()
    await DBOS.recv_async("go", timeout_seconds=300)
    await async_step()
    LAGS.append(0.0)


@DBOS.workflow()
async def fan(items: int) -> int:
    gate = asyncio.Semaphore(FAN_LIMIT)

    async def one_item() -> dict[str, Any]:
        async with gate:
            return await async_step()

    return len(await asyncio.gather(*[one_item() for _ in range(items)]))


def w1(url: str) -> None:
    for handle in [DBOS.start_workflow(ten) for _ in range(20)]:
        handle.get_result()
    with psycopg.connect(url) as connection, Meter(connection, os.getpid()) as meter:
        for handle in [DBOS.start_workflow(ten) for _ in range(EXECUTIONS)]:
            handle.get_result()
    emit("dbos", "W1", **meter.throughput(EXECUTIONS, EXECUTIONS * STEPS))


def w2(url: str) -> None:
    answer_calls({"in process": one, "started in process": lambda: DBOS.start_workflow(one).get_result()})


def w3(url: str) -> None:
    """Coroutine workflows, the only kind that does not hold a thread while it sleeps; they are started from a coroutine."""

    async def run() -> None:
        due = time.time() + 10 + OTHER_EVENTS / 50
        for _ in range(OTHER_EVENTS):
            await DBOS.start_workflow_async(sleeper, due)
        while len(LAGS) < OTHER_EVENTS:
            await asyncio.sleep(0.005)

    asyncio.run(run())
    emit("dbos", "W3", mode="due at once", timers=OTHER_EVENTS, wakes_per_s=round(OTHER_EVENTS / max(LAGS)), **latencies(LAGS))


def w4(url: str) -> None:
    """Events in its bulk calls of 100, which were quicker than one call each."""

    async def run() -> float:
        handles = [await DBOS.start_workflow_async(waiter) for _ in range(OTHER_EVENTS)]
        await asyncio.sleep(5)
        began = time.perf_counter()
        for first in range(0, OTHER_EVENTS, 100):
            news = [SendMessage(destination_id=one.workflow_id, message=1, topic="go") for one in handles[first : first + 100]]
            await DBOS.send_bulk_async(news)
        while len(LAGS) < OTHER_EVENTS:
            await asyncio.sleep(0.005)
        return time.perf_counter() - began

    emit("dbos", "W4", mode="one by one", events_per_s=round(OTHER_EVENTS / asyncio.run(run())))


def w5(url: str) -> None:
    handle = DBOS.start_workflow(long)
    RESUMED.wait(300)
    first = MOMENTS.pop()
    time.sleep(0.5)
    DBOS.cancel_workflow(handle.workflow_id)
    time.sleep(2)
    DBOS.send(handle.workflow_id, 1, "go")
    DBOS.resume_workflow(handle.workflow_id).get_result()
    moments = MOMENTS[-1]
    figures = {"steps_per_s": round(LONG_STEPS / (first[-1] - first[0])), **growth(first)}
    emit("dbos", "W5", **figures, **replay_figures(moments))


def w6(url: str) -> None:
    """It has no map: coroutine steps gathered, 50 at a time, were quicker than a child workflow per item."""
    DBOS.start_workflow(fan, 100).get_result()
    with psycopg.connect(url) as connection:
        for _ in range(FAN_RUNS):
            with Meter(connection, os.getpid()) as meter:
                DBOS.start_workflow(fan, FAN_ITEMS).get_result()
            emit("dbos", "W6", **meter.items(FAN_ITEMS))


def main(workload: str, url: str) -> None:
    logging.disable(logging.WARNING)
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": url.replace("postgresql://", "postgresql+psycopg://", 1),
        "sys_db_pool_size": 20,
        "log_level": "ERROR",
        "max_executor_threads": 8,
        "application_version": "1",
        "db_engine_kwargs": {"pool_pre_ping": False},
    }
    DBOS(config=config)
    DBOS.launch()
    {"w1": w1, "w2": w2, "w3": w3, "w4": w4, "w5": w5, "w6": w6}[workload](url)
    sys.stdout.flush()
    os._exit(0)  # its threads would take seconds to end


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
