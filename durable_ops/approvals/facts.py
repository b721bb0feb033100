"""Reads what `policy.py` judges by: a person's rights now, and one approval's rules and progress."""

from typing import Any

from durable_ops.approvals.policy import Person, Question
from durable_ops.models import Approval, Assignee


def person_of(user: Any) -> Person:
    """One query for the groups; permissions are asked of Django's backends when a question names one."""
    groups = frozenset(user.groups.values_list("name", flat=True))
    return Person(user.get_username(), bool(user.is_active), groups, user.has_perm)


def question_of(approval: Approval, *, is_waiting: bool) -> Question:
    """Three queries, none for what was prefetched. Whether it waits is the callback's to say."""
    assignees = [one for one in approval.assignees.all() if one.is_active]

    def named(kind: Assignee.Kind) -> frozenset[str]:
        return frozenset(one.name for one in assignees if one.kind == kind)

    return Question(
        is_waiting=is_waiting and approval.closed_at is None,
        users=named(Assignee.Kind.USER),
        groups=named(Assignee.Kind.GROUP),
        permissions=named(Assignee.Kind.PERMISSION),
        requester=approval.requester,
        requester_may_approve=approval.requester_may_approve,
        quorum=approval.quorum,
        decided_by=frozenset(one.by for one in approval.decisions.all()),
        claimed_by=approval.claimed_by.get_username() if approval.claimed_by else "",
    )
