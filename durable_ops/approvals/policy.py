"""Who may decide an approval. Console, mail, REST, Django's admin and the Lambda API all ask here, and nowhere else.

Pure functions over facts. Callers read these facts under the approval's lock, so that rights are those of this moment.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum


class Refusal(StrEnum):
    """Why somebody may not decide; the values are the stable codes of refusals."""

    NOT_WAITING = "approval_not_waiting"
    INACTIVE = "person_inactive"
    NOT_ASKED = "approval_not_yours"
    REQUESTER = "requester_may_not_approve"
    DECIDED_ALREADY = "decided_already"
    CLAIMED = "claimed_by_another"
    QUORUM = "more_approvals_missing"


@dataclass(frozen=True, slots=True)
class Person:
    """Who wants to decide. `key` identifies them whatever their name becomes; `groups` are keys too.

    `may` says whether they hold a permission ("app.codename"). `names` are what an author may have called them, in the form that `spelt`
    gives: user name and mail address. The mail address is also `mailbox`.
    """

    key: str
    is_active: bool
    groups: frozenset[str]
    may: Callable[[str], bool]
    names: frozenset[str] = frozenset()
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The rules of one approval, and how far it is: `decided_by` have approved so far. People and groups are given by their keys.

    `requester` is the name that the author gave, used only where `requester_key` is empty because it belongs to no user. Where a decision
    depends on them, the mailboxes of requester and deciders are known as well: accounts with one mailbox count as one person.
    """

    is_waiting: bool
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    requester_key: str = ""
    requester: str = ""
    requester_may_approve: bool = False
    quorum: int = 1
    decided_by: frozenset[str] = frozenset()
    claimed_by: str = ""
    requester_mailbox: str = ""
    decided_mailboxes: frozenset[str] = frozenset()


def is_asked(person: Person, question: Question) -> bool:
    """Whether the question is put to this person: by name, through a group, or through a permission."""
    if person.key in question.users or person.groups & question.groups:
        return True
    return any(person.may(permission) for permission in question.permissions)


def refusal(person: Person, question: Question, *, approves: bool) -> Refusal | None:
    """Why the person may not decide in this way now; None when they may. Of several reasons, the one that helps most to know.

    The requester may always reject, which withdraws the question, but may approve only where the author allowed it.
    """
    if not person.is_active:
        return Refusal.INACTIVE
    if not is_asked(person, question):
        return Refusal.NOT_ASKED
    if not question.is_waiting:
        return Refusal.NOT_WAITING
    if has_decided(person, question):
        return Refusal.DECIDED_ALREADY
    if approves and is_barred(person, question):
        return Refusal.REQUESTER
    if question.claimed_by and question.claimed_by != person.key:
        return Refusal.CLAIMED
    return None


def has_decided(person: Person, question: Question) -> bool:
    """Whether they have decided, with this account or with another one that has the same mailbox."""
    return person.key in question.decided_by or person.mailbox in question.decided_mailboxes


def is_barred(person: Person, question: Question) -> bool:
    """Whether this is the requester, under any spelling of the name, and the author did not allow them to approve."""
    if question.requester_may_approve:
        return False
    if question.requester_key:
        return question.requester_key == person.key or ("" != question.requester_mailbox == person.mailbox)
    return not person.names.isdisjoint({spelt(question.requester), spelt(parseaddr(question.requester)[1])} - {""})


def spelt(text: str) -> str:
    """A name or an address without differences that people do not see: case, blanks, and wide or other forms of the same letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def may_hand_on(person: Person, question: Question) -> Refusal | None:
    """Why somebody who is asked may not name another person in their place; None when they may.

    They must be able to approve now, and only the last missing approval can be handed on; otherwise one person could fill a quorum with
    friends. Everything else needs the right to reassign.
    """
    found = refusal(person, question, approves=True)
    if found is None and question.quorum - len(question.decided_by) > 1:
        return Refusal.QUORUM
    return found


def reassign_refusal(person: Person, question: Question, *, is_trusted: bool) -> Refusal | None:
    """Why they may not put the question to others; None when they may. `is_trusted`: they hold the right to reassign."""
    if not is_trusted or not person.is_active:
        return may_hand_on(person, question)
    if is_barred(person, question):
        return Refusal.REQUESTER  # otherwise they would choose their own judge
    return None if question.is_waiting else Refusal.NOT_WAITING


def voices(people: Iterable[Person], question: Question) -> int:
    """How many of these people could still approve if they were asked. Accounts with one mailbox count once."""
    able = (one for one in people if one.is_active and not has_decided(one, question) and not is_barred(one, question))
    return len({one.mailbox or one.key for one in able})


def wants_mail(person: Person, question: Question) -> bool:
    """Whether a mail to this person makes sense: they can approve now, or could after a claim is given back."""
    return refusal(person, question, approves=True) in (None, Refusal.CLAIMED)


def is_settled(question: Question, *, approves: bool) -> bool:
    """Whether one more decision ends the approval: a rejection always does, an approval if it fills the quorum."""
    return not approves or len(question.decided_by) + 1 >= question.quorum
