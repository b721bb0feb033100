"""Claim, release, hand on, decide, escalate, stop: all at once upon one approval. What the audit log then tells in its order is a story
that the rules allow, and the record, the log and the waiting function agree on its end."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from django.db.models.functions import Now

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import reminders
from durable_ops.models import Approval, AuditEntry, Decision
from execution_engine.core.errors import CommandError
from execution_engine.models import Operation
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.services.executions import stop_execution

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 12
QUORUM = 2
Ask = Callable[..., tuple[Any, Approval]]
Crowd = Callable[[int], list[User]]


def deeds(user: User, others: list[User], approval: Approval, chance: random.Random) -> list[Callable[[], Any]]:
    """What one person tries, in this order."""
    actor, where = Actor(user), approval.callback_id
    names = [one.username for one in chance.sample(others, 4)]
    choice = [
        lambda: approvals.claim(actor, where),
        lambda: approvals.release(actor, where),
        lambda: approvals.decide(actor, where, approved=chance.random() < 0.8),
        lambda: approvals.decide(actor, where, approved=True),
        lambda: approvals.reassign(actor, where, to=names, reason="holiday"),
        lambda: approvals.reassign(actor, where, to=names[:1], groups=["managers"], reason="all of us"),
    ]
    return chance.choices(choice, k=4)


def all_at_once(plans: list[list[Callable[[], Any]]]) -> list[Exception]:
    """Runs each list in a thread of its own; answers what was raised that is no refusal."""
    odd: list[Exception] = []
    barrier = threading.Barrier(len(plans))

    def run(plan: list[Callable[[], Any]]) -> None:
        barrier.wait()
        for deed in plan:
            try:
                deed()
            except CommandError:
                pass
            except Exception as error:
                odd.append(error)
        connections.close_all()

    threads = [threading.Thread(target=run, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return odd


def broken_rules(approval: Approval, *, escalates: bool) -> list[str]:
    """The story of the log, told again by the rules of the manual. An escalation is not in the log: it gives a claim back at any time."""
    found, claimant, approved, is_over = [], "", set[str](), False
    asked: set[str] | None = None  # None: the group, to which everybody here belongs
    for entry in AuditEntry.objects.filter(object_id=approval.callback_id, action__startswith="approval.").order_by("id"):
        verb = entry.action.removeprefix("approval.")
        found += [f"{verb} after the end"] * is_over
        found += [f"{verb} by {entry.actor}, who is not asked"] * (asked is not None and entry.actor not in asked and not escalates)
        if verb in ("approve", "reject", "reassign"):
            found += [f"{verb} by {entry.actor}, claimed by {claimant}"] * (claimant not in ("", entry.actor) and not escalates)
            found += [f"{verb} by {entry.actor}, who has approved"] * (entry.actor in approved)
        if verb == "reassign":
            found += ["handed on with two to go"] * (QUORUM - len(approved) > 1)
            to = set(entry.facts["to"])
            asked = None if "group managers" in to else {one.removeprefix("user ") for one in to}
        claimant = entry.actor if verb == "claim" else ""
        approved |= {entry.actor} if verb == "approve" else set()
        is_over = verb == "reject" or len(approved) == QUORUM
    return found


def end_of(approval: Approval) -> tuple[str, list[str], list[str]]:
    """Outcome, who decided by the record, and by what the function was answered."""
    approval.refresh_from_db()
    made = list(Decision.objects.filter(approval=approval).order_by("id").values_list("by", flat=True))
    answer = ApprovalDecision.from_text(text) if (text := Operation.objects.get(callback_id=approval.callback_id).payload) else None
    return approval.outcome, made, [str(one["by"]) for one in answer.decisions] if answer else []


@pytest.mark.parametrize("escalates", [False, True])
@pytest.mark.parametrize("stops", [False, True])
def test_every_story_is_allowed(ask: Ask, crowd: Crowd, is_long: bool, stops: bool, escalates: bool) -> None:
    users, chance = crowd(PEOPLE), random.Random(7)
    Group.objects.get_or_create(name="finance")
    ends = set()
    for _ in range(40 if is_long else 4):
        _, approval = ask(quorum=QUORUM, escalate_to="finance", escalate_after=timedelta(days=1))
        plans = [deeds(user, [one for one in users if one != user], approval, chance) for user in users]
        if escalates:
            Approval.objects.filter(pk=approval.pk).update(escalate_at=Now())
            plans.append([reminders.escalate])
        if stops:
            plans.append([lambda approval=approval: stop_execution(approval.execution_id), reminders.close_ended])
        assert all_at_once(plans) == []
        outcome, made, told = end_of(approval)
        assert broken_rules(approval, escalates=escalates) == []
        is_decided = outcome in ("approved", "rejected")
        assert (told == made) if is_decided else (told == [] and len(made) < QUORUM), (outcome, made, told)
        assert stops or outcome != "withdrawn"
        ends.add(outcome)
    assert ends & {"approved", "rejected"} or stops


def test_without_the_lock_it_is_caught(ask: Ask, crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: the approval is read without its lock."""
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda self, **_: self.all())
    users, chance, broken = crowd(PEOPLE), random.Random(7), []
    for _ in range(12):
        _, approval = ask(quorum=QUORUM)
        plans = [deeds(user, [one for one in users if one != user], approval, chance) for user in users]
        broken += all_at_once(plans) or broken_rules(approval, escalates=False)
        if broken:
            return
    pytest.fail("no story was against the rules")
