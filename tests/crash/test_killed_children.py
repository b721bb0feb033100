"""kill -9 of worker children at random moments: nothing lost, nothing twice, no step again after its checkpoint."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import os

import psycopg
import pytest

import execution_engine
from tests.crash import ledger
from tests.crash.functions import STEPS, crash_ten
from tests.crash.worker import CeleryWorker

FUNCTIONS = "tests.crash.functions"


def storm(worker: CeleryWorker, chance: random.Random, executions: int, kills: int) -> list[int]:
    """Starts the executions bit by bit and kills a random child after each bit; answers the killed pids."""
    inputs = [{"name": str(n), "milliseconds": [chance.randint(2, 50) for _ in range(STEPS)]} for n in range(executions)]
    killed: list[int] = []
    for number in range(kills):
        for given in inputs[executions * number // kills : executions * (number + 1) // kills]:
            crash_ten.start(given, name=given["name"])
        time.sleep(chance.uniform(0.02, 0.5))
        while not (living := worker.pids):
            time.sleep(0.01)
        killed.append(chance.choice(living))
        os.kill(killed[-1], signal.SIGKILL)
    return killed


def crash(ground: psycopg.Connection[Any], worker: CeleryWorker, seed: int, executions: int, kills: int, seconds: float) -> ledger.Verdict:
    with worker:
        killed = storm(worker, random.Random(seed), executions, kills)
        ledger.wait_for_rest(ground, executions, seconds)
    return ledger.judge(ground, killed)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(os.environ.get("CRASH_SEED", "0")) or random.SystemRandom().randint(1, 10**9)


def test_killed_children(
    ground: psycopg.Connection[Any], database_url: str, broker: str, data: Path, seed: int, is_long: bool, figures: Callable[..., None]
) -> None:
    executions, kills = (200, 100) if is_long else (40, 10)
    worker = CeleryWorker(database_url, data, modules=[FUNCTIONS], threads=8, broker=broker)
    began = time.monotonic()
    verdict = crash(ground, worker, seed, executions, kills, 120)
    figures("killed children", seed=seed, kills=kills, seconds=round(time.monotonic() - began, 1), **vars(verdict))
    assert verdict.is_clean, f"seed {seed}: {verdict}\n{worker.tail()}"
