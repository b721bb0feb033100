"""Approvals that wait for groups which were renamed or removed: nobody can decide them until they are put to somebody else."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef

from durable_ops.approvals.inbox import visible_to
from durable_ops.models import Approval, Assignee


def orphaned(user: Any, *, limit: int) -> list[Approval]:
    """Open ones that this person may see, oldest first. One query."""
    active = Assignee.objects.filter(approval=OuterRef("pk"), is_active=True)
    is_there = Exists(Group.objects.filter(name=OuterRef("name")))
    of_groups = active.filter(kind=Assignee.Kind.GROUP)
    found = visible_to(user).filter(Exists(of_groups), closed_at=None)
    others = active.exclude(kind=Assignee.Kind.GROUP)
    return list(found.exclude(Exists(others)).exclude(Exists(of_groups.filter(is_there))).order_by("pk")[:limit])
