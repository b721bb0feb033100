"""Groups that are asked and are not there any more: renamed or removed, so that nobody decides for them."""

from collections.abc import Iterable

from django.contrib.auth.models import Group

from durable_ops.models import Assignee


def gone_groups(assignees: Iterable[Assignee]) -> list[str]:
    """Names of groups that are asked and do not exist. One query when any group is asked."""
    names = {one.name for one in assignees if one.is_active and one.kind == Assignee.Kind.GROUP}
    return sorted(names - set(Group.objects.filter(name__in=names).values_list("name", flat=True))) if names else []
