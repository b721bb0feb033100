"""kill -9 of worker children at random moments: nothing lost, nothing twice, no step again after its checkpoint."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from durable_ops.serve.children import process_state
from tests.crash import ledger
from tests.crash.functions import STEPS, crash_ten
from tests.crash.worker import CeleryWorker
from tests.waiting import wait_until

FUNCTIONS = "tests.crash.functions"


def storm(worker: CeleryWorker, chance: random.Random, executions: int, kills: int, first: int = 0) -> list[int]:
    """Starts the executions bit by bit and kills a random child after each bit; answers the killed pids."""
    inputs = [{"name": str(first + n), "milliseconds": [chance.randint(2, 50) for _ in range(STEPS)]} for n in range(executions)]
    killed: list[int] = []
    for number in range(kills):
        for given in inputs[executions * number // kills : executions * (number + 1) // kills]:
            crash_ten.start(given, name=given["name"])
        time.sleep(chance.uniform(0.02, 0.5))
        killed.append(chance.choice(wait_until(lambda: worker.pids, worker.tail)))
        os.kill(killed[-1], signal.SIGKILL)
    return killed


def crash(ground: psycopg.Connection[Any], worker: CeleryWorker, seed: int, executions: int, kills: int) -> ledger.Verdict:
    with worker:
        killed = storm(worker, random.Random(seed), executions, kills)
        ledger.wait_for_rest(ground, executions)
    return ledger.judge(ground, killed)


@pytest.fixture
def seed(is_long: bool) -> int:
    """The long proofs look elsewhere each time."""
    return int(os.environ.get("CRASH_SEED", "0")) or (random.SystemRandom().randint(1, 10**9) if is_long else 1)


def test_killed_children(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, seed: int, is_long: bool, figures: Callable[..., None]
) -> None:
    executions, kills = (200, 100) if is_long else (40, 10)
    worker = CeleryWorker(database_url, data, modules=[FUNCTIONS], threads=8, broker=broker)
    began = time.monotonic()
    verdict = crash(ground, worker, seed, executions, kills)
    figures("killed children", seed=seed, kills=kills, seconds=round(time.monotonic() - began, 1), **vars(verdict))
    assert verdict.is_clean, f"seed {seed}: {verdict}\n{worker.tail()}"


@pytest.mark.parametrize("broken", ["early_answers", "stale_loads"])
def test_broken_engines_are_caught(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, seed: int, broken: str
) -> None:
    worker = CeleryWorker(database_url, data, modules=[FUNCTIONS, f"tests.crash.broken.{broken}"], threads=8, broker=broker)
    chance, killed = random.Random(seed), []
    with worker:
        for storms in range(5):  # on a slow machine a storm may hit nobody, and then it puts nothing to the test
            killed += storm(worker, chance, 24, 10, first=24 * storms)
            ledger.wait_for_rest(ground, 24 * (storms + 1))
            verdict = ledger.judge(ground, killed)
            if verdict.rerun_after_checkpoint or verdict.broken_histories:
                return
    pytest.fail(f"seed {seed}: {verdict}\n{worker.tail()}")


def test_killed_worker_leaves_no_child_and_the_next_one_finishes(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, figures: Callable[..., None]
) -> None:
    chance = random.Random(7)
    for number in range(60):
        crash_ten.start({"name": str(number), "milliseconds": [chance.randint(10, 60) for _ in range(STEPS)]}, name=str(number))
    worker = CeleryWorker(database_url, data, modules=[FUNCTIONS], threads=8, broker=broker)
    worker.start()
    worker.wait_until_ready()
    wait_until(lambda: ground.execute("select count(*) from crash_ledger").fetchone() >= (60,))
    killed = worker.kill()
    began = time.monotonic()
    wait_until(lambda: all(process_state(pid) in {"", "Z", "X"} for pid in killed), lambda: "children outlive their killed parent")
    orphans = round(time.monotonic() - began, 3)
    open_then = ground.execute("select count(*) from durable_execution where ended_at is null").fetchone()
    began = time.monotonic()
    with CeleryWorker(database_url, data, modules=[FUNCTIONS], threads=8, broker=broker):
        assert ledger.wait_for_rest(ground, 60)
    verdict = ledger.judge(ground, killed)
    figures("killed worker", orphans_s=orphans, open_then=open_then, finished_s=round(time.monotonic() - began, 1), **vars(verdict))
    assert verdict.is_clean, verdict
