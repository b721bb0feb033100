"""Who may decide an approval: the only place that knows, asked by console, mail, REST, admin and the Lambda API alike.

Pure functions over facts; whoever asks has read them under the approval's lock, so that rights are those of this moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why somebody may not decide; the value is the stable code of the refusal."""

    NOT_WAITING = "approval_not_waiting"
    INACTIVE = "person_inactive"
    NOT_ASKED = "approval_not_yours"
    REQUESTER = "requester_may_not_approve"
    DECIDED_ALREADY = "decided_already"
    CLAIMED = "claimed_by_another"
    LINK = "sign_in_required"


@dataclass(frozen=True, slots=True)
class Person:
    """Who wants to decide. `may` answers whether they hold a permission ("app.codename")."""

    name: str
    is_active: bool
    groups: frozenset[str]
    may: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """The rules of one approval, and how far it has come. `decided_by` are the people who have approved so far."""

    is_waiting: bool
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    requester: str = ""
    requester_may_approve: bool = False
    quorum: int = 1
    decided_by: frozenset[str] = frozenset()
    claimed_by: str = ""


def is_asked(person: Person, question: Question) -> bool:
    """Whether the question is put to this person: by name, by a group or by a permission."""
    if person.name in question.users or person.groups & question.groups:
        return True
    return any(person.may(permission) for permission in question.permissions)


def refusal(person: Person, question: Question, *, approves: bool) -> Refusal | None:
    """None when the person may decide so now. The order is that of what helps most to know.

    Whoever asked may reject, which is to withdraw, but approves only where the author allowed it.
    """
    if not person.is_active:
        return Refusal.INACTIVE
    if not is_asked(person, question):
        return Refusal.NOT_ASKED
    if not question.is_waiting:
        return Refusal.NOT_WAITING
    if person.name in question.decided_by:
        return Refusal.DECIDED_ALREADY
    if approves and person.name == question.requester and not question.requester_may_approve:
        return Refusal.REQUESTER
    if question.claimed_by and question.claimed_by != person.name:
        return Refusal.CLAIMED
    return None


def is_settled(question: Question, *, approves: bool) -> bool:
    """Whether one more decision ends it: the first rejection, or as many different people as the quorum asks for."""
    return not approves or len(question.decided_by) + 1 >= question.quorum
