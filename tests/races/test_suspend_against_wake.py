"""A callback is answered while its execution is about to suspend for it: nobody may sleep over the answer."""

from collections.abc import Callable
from typing import Any

import pytest

from execution_engine.models import Execution
from execution_engine.services.callbacks import succeed_callback
from execution_engine.worker.runtime import Runtime
from tests.races import arena, functions
from tests.races.arena import ROUNDS, Race
from tests.waiting import PATIENCE


def run(races: list[Race], patience: float) -> dict[str, Any]:
    def race(given: Race) -> None:
        arena.start(functions.suspend, given)
        assert given.meeting.is_agreed.wait(PATIENCE)
        functions.sleep_until(given.meeting.at + given.offset)
        succeed_callback(given.meeting.callback_id, given.name)

    answers = arena.on_threads([lambda given=given: race(given) for given in races])
    stuck = arena.wait_for_rest(len(races), patience)
    results = dict(Execution.objects.values_list("name", "result"))
    suspended = Execution.objects.filter(invocations__gt=1).count()
    return {
        "races": len(races),
        "refused": sum(answer is not None for answer in answers),
        "stuck": stuck,
        "wrong": sum(results[race.name] not in (None, f'"{race.name}"') for race in races),
        "wrongly_ended": arena.wrongly_ended(),
        "suspended_first": suspended,
    }


def test_nobody_sleeps_over_an_answer(serving: Runtime, count: int, seed: int, figures: Callable[..., None]) -> None:
    found = run(arena.races(count, seed), PATIENCE)
    figures("suspend against wake", seed=seed, **found)
    assert (found["refused"], found["stuck"], found["wrong"], found["wrongly_ended"]) == (0, 0, 0, 0), (seed, found)


@pytest.fixture
def suspends_blindly(broken_statements: Any) -> None:
    broken_statements.replace("flush", "when e.wake_seq + a.woken <> a.told then c.now", "")


def test_a_suspension_that_ignores_wakes_is_caught(suspends_blindly: None, serving: Runtime, seed: int) -> None:
    for chance in range(ROUNDS):
        found = run(arena.races(200, seed + chance), 1.5)
        if found["stuck"]:
            return
        arena.forget()
    pytest.fail(f"seed {seed}: {found}")
