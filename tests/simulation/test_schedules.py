"""Schedules of the intact protocol, none of which may break an invariant: the same 1,500 in every run, and with `--all-faults` 30,000
others, which the figures name.

`SIMULATION_SEED=n pytest tests/simulation -k one_seed` runs the schedule that a failure named. `SIMULATION_SCHEDULES=100000` and
`SIMULATION_SEED=n` look further and elsewhere.
"""

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.scheduler import EPOCH
from tests.simulation.variants import Variant
from tests.simulation.world import World, run_schedule

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


@pytest.fixture
def first_seed(is_long: bool) -> int:
    return int(os.environ.get("SIMULATION_SEED", random.randrange(10**9) if is_long else 1))


def test_no_schedule_breaks_a_promise(figures: Callable[..., None], is_long: bool, first_seed: int) -> None:
    schedules = int(os.environ.get("SIMULATION_SCHEDULES", 30_000 if is_long else 1_500))
    met = Counter[str]()
    for seed in range(first_seed, first_seed + schedules):
        met += run_schedule(seed).protocol.met
    figures("simulation", schedules=schedules, first_seed=first_seed, **met)
    assert not RARE_PATHS - set(met), "these paths were never taken"


def test_one_seed(first_seed: int) -> None:
    run_schedule(first_seed)


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
