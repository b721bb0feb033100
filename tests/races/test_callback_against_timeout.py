"""A success, a failure and the time-out of one callback in one instant: one of them wins, and both callers are told which."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from execution_engine.core.errors import CallbackCompletedError
from execution_engine.core.records import ErrorObject
from execution_engine.core.transitions import callback
from execution_engine.models import Event, Operation
from execution_engine.services.callbacks import fail_callback, succeed_callback
from execution_engine.worker.runtime import Runtime
from tests.races import arena, functions
from tests.races.arena import ROUNDS, Race
from tests.waiting import PATIENCE

PACE_SECONDS = 0.008
WAVE = 50
TOLD = {"succeed": "SUCCEEDED", "fail": "FAILED"}


def run(races: list[Race], size: int = WAVE) -> dict[str, Any]:
    """In waves of this size, which must be shorter than the time-out, so that each callback is met at its own deadline."""
    answers = [answer for first in range(0, len(races), size) for answer in wave(races[first : first + size])]
    stuck = arena.wait_for_rest(len(races))
    return verdict(races, answers, stuck)


def wave(races: list[Race]) -> list[Any]:
    begun = time.perf_counter()
    arena.on_threads([lambda n=n, race=race: pace(begun + n * PACE_SECONDS, race) for n, race in enumerate(races)], threads=4)
    for race in races:
        assert race.meeting.is_agreed.wait(PATIENCE)
    found = Operation.objects.filter(callback_id__in=[race.meeting.callback_id for race in races]).values_list("callback_id", "due_at")
    due = {callback_id: due_at.timestamp() for callback_id, due_at in found if due_at}
    return arena.on_threads([call for race in races for call in calls(race, due)])


def pace(moment: float, race: Race) -> None:
    functions.sleep_until(moment)
    arena.start(functions.timeout, race)


def calls(race: Race, due: dict[str, float]) -> list[Callable[[], Any]]:
    """Both answers at the callback's deadline plus the offset, by the clock that server and test share."""
    callback_id = race.meeting.callback_id

    def answer(how: Callable[[str], None]) -> None:
        time.sleep(max(0.0, due.get(callback_id, 0.0) + race.offset - time.time()))
        how(callback_id)

    return [
        lambda: answer(lambda id: succeed_callback(id, '"yes"')),
        lambda: answer(lambda id: fail_callback(id, ErrorObject(message="no"))),
    ]


def verdict(races: list[Race], answers: list[Any], stuck: int) -> dict[str, Any]:
    stored = arena.callback_statuses()
    untrue = won_twice = 0
    for number, race in enumerate(races):
        status = stored[race.meeting.callback_id]
        told = dict(zip(TOLD, answers[2 * number : 2 * number + 2], strict=True))
        won_twice += sum(answer is None for answer in told.values()) > 1
        untrue += any(not is_true(TOLD[how], answer, status) for how, answer in told.items())
    ended = Event.objects.filter(type__in=["CallbackSucceeded", "CallbackFailed", "CallbackTimedOut"])
    ends = Counter(ended.values_list("execution_id", flat=True))
    return {
        "races": len(races),
        "stuck": stuck,
        "won_twice": won_twice,
        "untrue_answers": untrue,
        "not_one_end": sum(count != 1 for count in ends.values()) + len(races) - len(ends),
        "wrongly_ended": arena.wrongly_ended(),
        "winners": dict(Counter(stored.values())),
    }


def is_true(wanted: str, answer: Any, stored: str) -> bool:
    if answer is None:
        return stored == wanted
    return isinstance(answer, CallbackCompletedError) and answer.facts["callback_status"] == stored


def is_clean(found: dict[str, Any]) -> bool:
    return not any(found[key] for key in ("stuck", "won_twice", "untrue_answers", "not_one_end", "wrongly_ended"))


def test_one_of_three_wins_and_everybody_is_told_the_truth(serving: Runtime, count: int, seed: int, figures: Callable[..., None]) -> None:
    for chance in range(ROUNDS):  # in smaller waves from round to round, for a machine that is too slow for the first ones
        found = run(arena.races(count, seed + chance), WAVE >> chance)
        figures("callback against time-out", seed=seed + chance, **found)
        assert is_clean(found), (seed + chance, found)
        if len(found["winners"]) == 3:
            return
        arena.forget()
    pytest.fail(f"seed {seed}: nothing was contested: {found}")


def test_answers_without_their_condition_are_caught(monkeypatch: pytest.MonkeyPatch, serving: Runtime, seed: int) -> None:
    monkeypatch.setattr(callback, "_refuse_late", lambda record, now: None)
    for chance in range(ROUNDS):
        found = run(arena.races(60, seed + chance))
        if found["won_twice"] and found["not_one_end"]:
            return
        arena.forget()
    pytest.fail(f"seed {seed}: {found}")
