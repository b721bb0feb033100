"""Who may decide an approval: the only place that knows, asked by console, mail, REST, admin and the Lambda API alike.

Pure functions over facts; whoever asks has read them under the approval's lock, so that rights are those of this moment.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum


class Refusal(StrEnum):
    """Why somebody may not decide; the value is the stable code of the refusal."""

    NOT_WAITING = "approval_not_waiting"
    INACTIVE = "person_inactive"
    NOT_ASKED = "approval_not_yours"
    REQUESTER = "requester_may_not_approve"
    DECIDED_ALREADY = "decided_already"
    CLAIMED = "claimed_by_another"
    QUORUM = "more_approvals_missing"


@dataclass(frozen=True, slots=True)
class Person:
    """Who wants to decide. `key` names them for ever, whatever they are called, and so do the keys in `groups`; `may` answers whether they
    hold a permission ("app.codename"); `names` are what an author may have called them, as `spelt`: user name and mail address, which is
    `mailbox` too."""

    key: str
    is_active: bool
    groups: frozenset[str]
    may: Callable[[str], bool]
    names: frozenset[str] = frozenset()
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The rules of one approval, and how far it has come: `decided_by` have approved so far. People and groups are named by their keys;
    `requester` only, when it is nobody's key, as the author named them. Where a decision hangs on it the mailboxes of requester and
    deciders are known too: accounts with one mailbox count as one person."""

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
    """Whether the question is put to this person: by name, by a group or by a permission."""
    if person.key in question.users or person.groups & question.groups:
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
    if has_decided(person, question):
        return Refusal.DECIDED_ALREADY
    if approves and is_barred(person, question):
        return Refusal.REQUESTER
    if question.claimed_by and question.claimed_by != person.key:
        return Refusal.CLAIMED
    return None


def has_decided(person: Person, question: Question) -> bool:
    """With this account or with another one of the same mailbox."""
    return person.key in question.decided_by or person.mailbox in question.decided_mailboxes


def is_barred(person: Person, question: Question) -> bool:
    """Whoever asked, where the author did not allow them to approve: not under another spelling of their name either."""
    if question.requester_may_approve:
        return False
    if question.requester_key:
        return question.requester_key == person.key or ("" != question.requester_mailbox == person.mailbox)
    return not person.names.isdisjoint({spelt(question.requester), spelt(parseaddr(question.requester)[1])} - {""})


def spelt(text: str) -> str:
    """A name or an address without what people do not see of it: case, blanks, wide and other shapes of the same letters."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def may_hand_on(person: Person, question: Question) -> Refusal | None:
    """None when somebody who is asked may name another in their place: who could approve now, and only the last approval that is
    missing. Everything else is for holders of the right to reassign, else one person could fill a quorum with friends."""
    found = refusal(person, question, approves=True)
    if found is None and question.quorum - len(question.decided_by) > 1:
        return Refusal.QUORUM
    return found


def reassign_refusal(person: Person, question: Question, *, is_trusted: bool) -> Refusal | None:
    """None when they may put the question to somebody else. `is_trusted` holds the right to reassign what is put to others."""
    if not is_trusted or not person.is_active:
        return may_hand_on(person, question)
    if is_barred(person, question):
        return Refusal.REQUESTER  # else they would name their own judge
    return None if question.is_waiting else Refusal.NOT_WAITING


def voices(people: Iterable[Person], question: Question) -> int:
    """How many of these could still approve if they were asked: accounts with one mailbox have one voice."""
    able = (one for one in people if one.is_active and not has_decided(one, question) and not is_barred(one, question))
    return len({one.mailbox or one.key for one in able})


def wants_mail(person: Person, question: Question) -> bool:
    """Whether a mail would still find somebody who can approve, or could once a claim is given back."""
    return refusal(person, question, approves=True) in (None, Refusal.CLAIMED)


def is_settled(question: Question, *, approves: bool) -> bool:
    """Whether one more decision ends it: the first rejection, or as many different people as the quorum asks for."""
    return not approves or len(question.decided_by) + 1 >= question.quorum
