"""Reads the facts that `policy.py` judges by: a person's rights now, and an approval's rules and progress."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from durable_ops.approvals.policy import Person, Question, spelt
from durable_ops.models import Approval, Assignee
from execution_engine.selectors.callbacks import CallbackRow


def person_of(user: Any) -> Person:
    """The facts about a user. One query for the groups, none if they were prefetched; permissions are asked of Django when needed."""
    groups = frozenset(str(group.pk) for group in user.groups.all())
    mailbox = spelt(address_of(user))
    names = frozenset({spelt(user.get_username()), mailbox} - {""})
    return Person(str(user.pk), bool(user.is_active), groups, user.has_perm, names, mailbox)


def person_now(user: Any) -> Person:
    """As `person_of`, read anew: a decision may have waited for a lock since its person signed in. A removed person is inactive."""
    fresh = get_user_model()._default_manager.filter(pk=user.pk).first()
    return Person(str(user.pk), False, frozenset(), lambda _: False) if fresh is None else person_of(fresh)


def address_of(user: Any) -> str:
    """The mail address; empty for users without one, and for user models without that field."""
    return str(getattr(user, user.get_email_field_name(), "") or "")


def waits(approval: Approval, callback: CallbackRow | None) -> bool:
    """Whether the callback waits, for this question and not for one that a redrive is about to ask again."""
    return callback is not None and callback.is_pending and callback.redrive_count == approval.redrive_count


def ends_at(approval: Approval, callback: CallbackRow | None = None) -> datetime | None:
    """When the time is over. A redrive starts it again, so the callback's own time counts as long as the callback exists."""
    if callback is not None:
        return callback.timeout_at
    return approval.asked_at + timedelta(seconds=approval.timeout) if approval.timeout else None


def question_now(approval: Approval, *, is_waiting: bool) -> Question:
    """As `question_of`, with the mailboxes of the requester and of those who decided. One query more. Decisions are judged by it."""
    return with_mailboxes([question_of(approval, is_waiting=is_waiting)])[0]


def with_mailboxes(questions: Sequence[Question]) -> list[Question]:
    """As `question_now`, for many questions: one query, none while nobody has decided and no requester is a user."""
    keys = {key for one in questions for key in (*one.decided_by, one.requester_key) if key}
    users = get_user_model()._default_manager.filter(pk__in=keys) if keys else ()
    mailboxes = {str(user.pk): spelt(address_of(user)) for user in users}

    def known(question: Question) -> Question:
        decided = frozenset(mailboxes.get(key, "") for key in question.decided_by) - {""}
        return replace(question, requester_mailbox=mailboxes.get(question.requester_key, ""), decided_mailboxes=decided)

    return [known(one) for one in questions]


def question_of(approval: Approval, *, is_waiting: bool) -> Question:
    """Three queries, none for what was prefetched. Whether it still waits is read from the callback."""
    assignees = [one for one in approval.assignees.all() if one.is_active]

    def named(kind: Assignee.Kind) -> frozenset[str]:
        return frozenset(one.key for one in assignees if one.kind == kind)

    return Question(
        is_waiting=is_waiting and approval.closed_at is None,
        users=named(Assignee.Kind.USER),
        groups=named(Assignee.Kind.GROUP),
        permissions=named(Assignee.Kind.PERMISSION),
        requester_key=approval.requester_key,
        requester=approval.requester,
        requester_may_approve=approval.requester_may_approve,
        quorum=approval.quorum,
        decided_by=frozenset(one.user_key for one in approval.decisions.all() if one.redrive_count == approval.redrive_count),
        claimed_by=str(approval.claimed_by_id or ""),
    )
