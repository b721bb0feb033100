"""Approvals that nobody can decide until they are put to others: their groups were removed, or their people have left."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast

from durable_ops.approvals.inbox import visible_to
from durable_ops.models import Approval, Assignee
from durable_ops.selectors.assignees import with_names


def orphaned(user: Any, *, limit: int) -> list[Approval]:
    """Such open approvals that this person may see, oldest first. One query. A permission counts as held by somebody."""
    active = with_names(Assignee.objects.filter(approval=OuterRef("pk"), is_active=True))
    left = get_user_model()._default_manager.filter(is_active=False).values(text=Cast("pk", TextField()))
    is_there = Q(current_name__isnull=False) & ~Q(kind=Assignee.Kind.USER, key__in=left)
    found = visible_to(user).filter(closed_at=None).exclude(Exists(active.filter(is_there)))
    return list(found.order_by("pk")[:limit])
