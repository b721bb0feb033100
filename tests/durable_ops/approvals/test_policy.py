"""The decision matrix over facts: every person, every rule, both answers."""

from itertools import product

import pytest

from durable_ops.approvals.policy import Person, Question, Refusal, is_settled, refusal

PEOPLE = {
    "asked by name": Person("ann", True, frozenset(), lambda _: False),
    "in the group": Person("ben", True, frozenset({"managers"}), lambda _: False),
    "with the permission": Person("cat", True, frozenset(), lambda permission: permission == "shop.pay"),
    "requester": Person("rita", True, frozenset({"managers"}), lambda _: False),
    "decided before": Person("dan", True, frozenset({"managers"}), lambda _: False),
    "stranger": Person("eve", True, frozenset({"viewers"}), lambda _: False),
    "left the company": Person("fay", False, frozenset({"managers"}), lambda _: True),
}
ASKED = {"asked by name", "in the group", "with the permission", "requester", "decided before"}


def question(**changes: object) -> Question:
    values = {"users": frozenset({"ann"}), "groups": frozenset({"managers"}), "permissions": frozenset({"shop.pay"})}
    return Question(**{"is_waiting": True, "requester_key": "rita", "decided_by": frozenset({"dan"}), "quorum": 2, **values, **changes})  # type: ignore[arg-type]


def expected(who: str, *, waiting: bool, allowed: bool, claimed: str, approves: bool) -> Refusal | None:
    """The rules again, in the words of the manual."""
    if who == "left the company":
        return Refusal.INACTIVE
    if who not in ASKED:
        return Refusal.NOT_ASKED
    if not waiting:
        return Refusal.NOT_WAITING
    if who == "decided before":
        return Refusal.DECIDED_ALREADY
    if who == "requester" and approves and not allowed:
        return Refusal.REQUESTER
    return Refusal.CLAIMED if claimed not in ("", PEOPLE[who].key) else None


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("claimed", ["", "ann", "ben"])
def test_every_person_under_every_rule(who: str, claimed: str) -> None:
    for waiting, allowed, approves in product((True, False), repeat=3):
        asked = question(is_waiting=waiting, requester_may_approve=allowed, claimed_by=claimed)
        wanted = expected(who, waiting=waiting, allowed=allowed, claimed=claimed, approves=approves)
        assert refusal(PEOPLE[who], asked, approves=approves) is wanted, (waiting, allowed, approves)


def test_the_first_rejection_and_the_last_of_a_quorum_settle() -> None:
    asked = question(quorum=3)
    assert is_settled(asked, approves=False)
    assert not is_settled(asked, approves=True)
    assert is_settled(question(quorum=2), approves=True)
