"""The users behind user names, groups and permissions."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from durable_ops.models import Approval, Assignee

MAX_RECIPIENTS = 500
"""Mails for one question; a group with more members is told in the console only."""


def asked_people(approval: Approval, *, escalation_only: bool = False) -> QuerySet[Any]:
    """The active users to whom the question is put now, each once."""
    users = get_user_model()
    asked = Q(pk__in=[])
    chosen = approval.assignees.filter(is_active=True, **({"is_escalation": True} if escalation_only else {}))
    for assignee in chosen.exclude(key=""):
        if assignee.kind == Assignee.Kind.USER:
            asked |= Q(pk=assignee.key)
        elif assignee.kind == Assignee.Kind.GROUP:
            asked |= Q(groups__pk=assignee.key)
        else:
            app, _, codename = assignee.name.partition(".")
            named = {"content_type__app_label": app, "codename": codename}
            asked |= Q(**{f"user_permissions__{key}": value for key, value in named.items()})
            asked |= Q(**{f"groups__permissions__{key}": value for key, value in named.items()})
    return users._default_manager.filter(asked, is_active=True).distinct().order_by("pk").prefetch_related("groups")[:MAX_RECIPIENTS]
