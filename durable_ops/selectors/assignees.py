"""Who is asked, by the names that they have now."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Case, F, Model, OuterRef, Prefetch, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, NullIf

from durable_ops.models import Assignee


def with_names(found: QuerySet[Assignee]) -> QuerySet[Assignee]:
    """Each with `current_name`, null for a user or a group that does not exist any more. No query more."""
    users = get_user_model()
    names = Case(
        When(kind=Assignee.Kind.GROUP, then=_name(Group, "name")),
        When(kind=Assignee.Kind.USER, then=_name(users, users.USERNAME_FIELD)),
        default=F("name"),
        output_field=TextField(),
    )
    return found.annotate(current_name=names)


def named() -> "Prefetch[Any]":
    """`assignees` of approvals, oldest first, as `with_names` reads them."""
    return Prefetch("assignees", queryset=with_names(Assignee.objects.order_by("id")))


def gone_groups(assignees: Iterable[Any]) -> list[str]:
    """What groups were called that are asked and do not exist any more. They were read by `with_names`."""
    active = (one for one in assignees if one.is_active and one.kind == Assignee.Kind.GROUP)
    return sorted(one.name for one in active if one.current_name is None)


def _name(model: type[Model], field: str) -> Subquery:
    # The key's type is that of this model's primary key: a comparison as text would read the whole table.
    key = Cast(NullIf(OuterRef("key"), Value("")), output_field=model._meta.pk.__class__())
    return Subquery(model._base_manager.filter(pk=key).values(field)[:1])
