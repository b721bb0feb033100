"""What an auditor wants to know of a decision: what the person was shown, and whether the audit log says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from durable_ops.approvals import shown
from durable_ops.approvals.card import Card
from durable_ops.approvals.facts import person_of
from durable_ops.approvals.reading import readable_details
from durable_ops.models import Approval, AuditEntry, Decision, Right
from durable_ops.permissions import access_of

_ACTIONS = {True: "approval.approve", False: "approval.reject"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One decision beside the audit entry about it, None when there is none.

    `details` are what was shown, as far as the auditor may read it. `is_whole` is False when a record was changed since: its digest does
    not fit what was shown or given, or the audit log says something else.
    """

    decision: Decision
    details: Sequence[Sequence[Any]]
    entry: AuditEntry | None
    is_whole: bool


def evidence_for(user: Any, card: Card) -> list[Evidence]:
    """All decisions, oldest first, those before a redrive included; none without the right to read the audit log. Two queries."""
    access, approval = access_of(user), card.approval
    function = card.callback.function if card.callback else None
    if not (access.may(Right.VIEW_AUDIT, function) if function else access.has_all(Right.VIEW_AUDIT)):
        return []
    written = AuditEntry.objects.filter(execution_id=approval.execution_id, object_id=approval.callback_id, action__in=_ACTIONS.values())
    entries, person = list(written.order_by("id")), person_of(user)
    found = []
    for decision in approval.decisions.select_related("shown").order_by("id"):
        entry = next((one for one in entries if _tells(one, approval, decision)), None)
        is_whole = entry is not None and decision.shown.digest == shown.digest(approval, decision.shown.content)
        details = readable_details(user, person, card.question, approval, card.callback, decision.shown.content[1:])
        found.append(Evidence(decision, details, entry, is_whole))
    return found


def _tells(entry: AuditEntry, approval: Approval, decision: Decision) -> bool:
    """Whether the entry agrees: who, what, why, through which door, after seeing what, with which fields. One transaction wrote both."""
    said = (entry.action, entry.user_id, entry.reason, entry.channel, entry.facts.get("shown"), entry.facts.get("fields"))
    made = (
        _ACTIONS[decision.approved],
        decision.user_key,
        decision.comment,
        decision.channel,
        decision.shown.digest,
        sorted(decision.fields),
    )
    # Older entries have only the names of the fields, and no digest of their values.
    return said == made and entry.facts.get("given") in (None, shown.digest(approval, decision.fields))
