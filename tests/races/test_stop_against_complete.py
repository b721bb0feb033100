"""A stop arrives while the handler returns: one terminal event, and the caller is told which."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from execution_engine.core.errors import ExecutionEndedError
from execution_engine.core.transitions import execution as executions
from execution_engine.models import Execution
from execution_engine.services.executions import stop_execution
from execution_engine.worker.runtime import Runtime
from tests.races import arena, functions
from tests.races.arena import ROUNDS, Race
from tests.waiting import PATIENCE


def run(races: list[Race]) -> dict[str, Any]:
    def race(given: Race) -> None:
        handle = functions.complete.start(given.name, name=given.name)
        assert given.meeting.is_agreed.wait(PATIENCE)
        functions.sleep_until(given.meeting.at + given.offset)
        stop_execution(handle.id)

    answers = arena.on_threads([lambda given=given: race(given) for given in races])
    stuck = arena.wait_for_rest(len(races))
    stored = dict(Execution.objects.values_list("name", "status"))
    untrue = sum(not is_true(answer, stored[race.name]) for race, answer in zip(races, answers, strict=True))
    return {
        "races": len(races),
        "stuck": stuck,
        "untrue_answers": untrue,
        "wrongly_ended": arena.wrongly_ended(),
        "winners": dict(Counter(stored.values())),
    }


def is_true(answer: Any, stored: str) -> bool:
    if isinstance(answer, ExecutionEndedError):
        return bool(answer.facts["execution_status"] == stored == "SUCCEEDED")
    return not isinstance(answer, Exception) and stored == "STOPPED"


def test_one_end_and_a_true_answer(serving: Runtime, count: int, seed: int, figures: Callable[..., None]) -> None:
    found = run(arena.races(count, seed))
    figures("stop against complete", seed=seed, **found)
    assert not found["stuck"] and not found["untrue_answers"] and not found["wrongly_ended"], (seed, found)


def test_a_stop_without_its_check_is_caught(monkeypatch: pytest.MonkeyPatch, serving: Runtime, seed: int) -> None:
    monkeypatch.setattr(executions, "refuse_ended", lambda record: None)
    for chance in range(ROUNDS):
        found = run(arena.races(100, seed + chance))
        if found["wrongly_ended"]:
            return
        arena.forget()
    pytest.fail(f"seed {seed}: {found}")
