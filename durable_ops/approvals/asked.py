"""For the executions of one page: who is asked to approve, since when and until when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from durable_ops.approvals.facts import ends_at
from durable_ops.models import Approval, Assignee
from durable_ops.selectors.assignees import with_names
from execution_engine.models import Operation
from execution_engine.selectors.states import OPEN


@dataclass(frozen=True, slots=True)
class Asked:
    """The pending approval of an execution that was asked first; `more` others wait beside it. `due` is None without a time limit."""

    people: tuple[str, ...]
    since: datetime
    due: datetime | None
    more: int = 0


def asked_of(execution_ids: Collection[UUID]) -> dict[UUID, Asked]:
    """By execution, for those that wait for an approval. One query, none for no ids. Index: approval_of_execution."""
    if not execution_ids:
        return {}
    # Only the callback knows whether it still waits; the approval may be a moment behind.
    waits = Operation.objects.filter(OPEN, execution_id=OuterRef("approval__execution_id"), id=OuterRef("approval__operation_id"))
    asked = with_names(Assignee.objects.filter(is_active=True, approval__execution_id__in=execution_ids, approval__closed_at=None))
    found = asked.filter(Exists(waits))
    approvals: dict[UUID, dict[int, Approval]] = {}
    people: dict[int, list[str]] = {}
    for one in found.select_related("approval").defer("approval__details", "approval__form").order_by("approval_id", "id"):
        approvals.setdefault(one.approval.execution_id, {})[one.approval_id] = one.approval
        people.setdefault(one.approval_id, []).append(one.words)
    return {execution_id: _asked(list(waiting.values()), people) for execution_id, waiting in approvals.items()}


def _asked(waiting: list[Approval], people: dict[int, list[str]]) -> Asked:
    first = min(waiting, key=lambda one: (one.asked_at, one.pk))
    return Asked(tuple(people[first.pk]), first.asked_at, ends_at(first), more=len(waiting) - 1)
