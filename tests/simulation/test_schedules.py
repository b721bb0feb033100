"""Thousands of schedules of the intact protocol, none of which may break an invariant; every run looks at others and says which.

`SIMULATION_SEED=n pytest tests/simulation -k one_seed` runs the schedule that a failure named. `SIMULATION_SCHEDULES=100000` and
`SIMULATION_SEED=n` look further and elsewhere.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.scheduler import EPOCH
from tests.simulation.variants import Variant
from tests.simulation.world import World, run_schedule

SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "3000"))
FIRST_SEED = int(os.environ.get("SIMULATION_SEED", random.randrange(10**9)))
SECONDS = 12 if "SIMULATION_SCHEDULES" not in os.environ else 3600
"""CPU time of this process: a busy machine runs no fewer schedules, a slow one does not hold up `make test`."""

RARE_PATHS = {
    "an answer from before the redrive",
    "child gone",
    "child redriven by its parent",
    "children lost",
    "forked",
    "purged",
    "redriven",
    "told twice",
    "answer lost, claim gone",
    "answer lost, not written",
    "answer lost, written",
    "claims taken over",
    "fenced off",
    "looked after paused",
    "resumed warm",
    "signals taken from the buffer",
    "timed out under a claim",
    "limit changed",
    "limit lifted",
    "told while running",
    "turn lost",
    "waits in the line of its key",
    "waits in the line of starts",
    "went alone",
    "woke nobody",
}


def test_no_schedule_breaks_a_promise(figures: Callable[..., None]) -> None:
    met, schedules, until = Counter[str](), 0, time.process_time() + SECONDS
    for seed in range(FIRST_SEED, FIRST_SEED + SCHEDULES):
        met += run_schedule(seed).protocol.met
        schedules += 1
        if time.process_time() > until:
            break
    figures("simulation", schedules=schedules, first_seed=FIRST_SEED, **met)
    assert schedules >= min(1000, SCHEDULES), f"only {schedules} schedules in {SECONDS} s of CPU time: too slow to mean anything"
    assert not RARE_PATHS - set(met), "these paths were never taken"


def test_one_seed() -> None:
    run_schedule(FIRST_SEED)


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_is_one_schedule(seed: int) -> None:
    first, second = World(seed, Variant.INTACT), World(seed, Variant.INTACT)
    first.run()
    second.run()
    assert first.scheduler.now > EPOCH
    assert (first.scheduler.steps, first.scheduler.now) == (second.scheduler.steps, second.scheduler.now)
    assert _types(first) == _types(second)


def _types(world: World) -> list[list[str]]:
    return [[event.type for event in world.database.history[number]] for number in world.executions]
