"""What the audit log can be narrowed by, the same on its page and over REST."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from durable_ops.models import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """`text` is part of who or why, or the beginning of the object's id; `action` may end with a dot for all of a kind.

    `since` and `until` are whole days, UTC, both included. `functions` are names that the reader's right is limited to, None for all.
    """

    text: str = ""
    action: str = ""
    channel: str = ""
    since: date | None = None
    until: date | None = None
    execution_id: UUID | None = None
    functions: Collection[str] | None = None

    @property
    def is_narrow(self) -> bool:
        return self != AuditFilters(functions=self.functions)


def find_entries(filters: AuditFilters) -> QuerySet[AuditEntry]:
    """Newest first."""
    found = AuditEntry.objects.order_by("-at", "-id")
    if text := filters.text:
        found = found.filter(Q(actor__icontains=text) | Q(object_id__istartswith=text) | Q(reason__icontains=text))
    if filters.action:
        is_kind = filters.action.endswith(".")
        found = found.filter(action__startswith=filters.action) if is_kind else found.filter(action=filters.action)
    equal = {"channel": filters.channel, "execution_id": filters.execution_id}
    found = found.filter(**{column: value for column, value in equal.items() if value})
    if filters.since:
        found = found.filter(at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(at__lt=_midnight(filters.until) + timedelta(days=1))
    return found if filters.functions is None else found.filter(function__in=filters.functions)


def older(found: QuerySet[AuditEntry], entry_id: int) -> QuerySet[AuditEntry]:
    """Those behind an entry that was seen. By time first, as they are sorted: of two that are written at once either may have the
    smaller id. One query for the entry's time."""
    at = AuditEntry.objects.filter(pk=entry_id).values_list("at", flat=True).first()
    if at is None:
        return found.filter(id__lt=entry_id)
    return found.filter(Q(at__lt=at) | Q(at=at, id__lt=entry_id), at__lte=at)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
