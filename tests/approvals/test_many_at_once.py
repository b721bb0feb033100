"""Fifty people approve and reject one approval at once: one decision, and every loser is told whose."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor, Channel
from durable_ops.approvals.errors import ApprovalRefusedError
from durable_ops.models import Approval, Decision
from execution_engine.models import Event
from execution_engine.services import callbacks

pytestmark = pytest.mark.django_db(transaction=True)
APPROVERS = 50


def at_once(users: list[User], approval: Approval, chance: random.Random) -> list[BaseException | None]:
    """What each of them was told; None for who won."""
    answers: list[BaseException | None] = [None] * len(users)
    barrier = threading.Barrier(len(users))
    wishes = [chance.random() < 0.5 for _ in users]

    def decide(place: int) -> None:
        barrier.wait()
        try:
            approvals.decide(Actor(users[place], channel=Channel.CONSOLE), approval.callback_id, approved=wishes[place])
        except Exception as error:
            answers[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=(place,)) for place in range(len(users))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def run(ask: Callable[..., Any], users: list[User], rounds: int) -> dict[str, int]:
    chance = random.Random(5)
    found = {"rounds": rounds, "decisions": 0, "untold_losers": 0, "winners": 0, "ends": 0}
    for _ in range(rounds):
        _, approval = ask()
        answers = at_once(users, approval, chance)
        decision = Decision.objects.filter(approval=approval).first()
        found["decisions"] += Decision.objects.filter(approval=approval).count()
        found["winners"] += sum(answer is None for answer in answers)
        found["ends"] += Event.objects.filter(execution_id=approval.execution_id, type="CallbackSucceeded").count()
        told = [answer for answer in answers if isinstance(answer, ApprovalRefusedError)]
        right = [one for one in told if decision and one.facts.get("decided_by") == decision.by]
        found["untold_losers"] += len(users) - 1 - len(right)
    return found


def test_one_decision_and_losers_are_told(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], is_long: bool, figures: Callable[..., None]
) -> None:
    rounds = 200 if is_long else 20
    found = run(ask, crowd(APPROVERS), rounds)
    assert found == {"rounds": rounds, "decisions": rounds, "untold_losers": 0, "winners": rounds, "ends": rounds}
    figures("fifty approvers at once", **found)


def test_without_the_lock_it_is_caught(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: the approval is read without its lock, and the callback is completed by whoever comes."""
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda self, **_: self.all())
    monkeypatch.setattr(callbacks, "succeed_callback", lambda *_: None)
    found = run(ask, crowd(20), 3)
    assert found["decisions"] > found["rounds"]
