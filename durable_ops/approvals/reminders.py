"""What time does to approvals: reminders, escalation, and closing those whose callback ended without a decision."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from durable_ops.approvals import mails
from durable_ops.models import Approval, Assignee
from execution_engine.core.enums import OperationStatus
from execution_engine.selectors.callbacks import callback_states

BATCH = 100
MAX_REMINDERS = 20


def remind(_: Any = None) -> int:
    """Mails everybody who is asked again, every `remind_after` seconds, at most 20 times."""
    with transaction.atomic():
        due = Approval.objects.select_for_update(skip_locked=True).filter(closed_at=None, remind_at__lte=Now()).order_by("remind_at")
        found = list(due[:BATCH])
        for approval in found:
            approval.reminders += 1
            mails.queue_reminder(approval)
            again = Now() + timedelta(seconds=approval.remind_after) if approval.reminders < MAX_REMINDERS else None
            Approval.objects.filter(pk=approval.pk).update(reminders=approval.reminders, remind_at=again)
    return len(found)


def escalate(_: Any = None) -> int:
    """Asks the groups of `escalate_to` as well, once; whoever was asked first may still decide."""
    with transaction.atomic():
        due = Approval.objects.select_for_update(skip_locked=True).filter(closed_at=None, escalate_at__lte=Now()).order_by("escalate_at")
        found = list(due[:BATCH])
        for approval in found:
            asked = [
                Assignee(approval=approval, kind=Assignee.Kind.GROUP, name=name, is_escalation=True) for name in approval.escalate_to
            ]
            Assignee.objects.bulk_create(asked, ignore_conflicts=True)
            mails.queue_escalation(approval)
        done = Approval.objects.filter(pk__in=[one.pk for one in found])
        done.update(escalate_at=None, escalated_at=Now(), claimed_by=None, claimed_at=None)
    return len(found)


def close_ended(_: Any = None, *, after: int = 0) -> int:
    """Closes what nobody can decide any more: timed out, stopped, redriven or purged. Looks through all that are open, in pages."""
    closed = 0
    while page := list(Approval.objects.filter(closed_at=None, pk__gt=after).order_by("pk").values_list("pk", "callback_id")[:1000]):
        states = callback_states([callback_id for _, callback_id in page])
        for pk, callback_id in page:
            state = states.get(callback_id)
            if state is not None and state.is_pending:
                continue
            is_late = state is not None and state.status == OperationStatus.TIMED_OUT
            outcome = Approval.Outcome.EXPIRED if is_late else Approval.Outcome.WITHDRAWN
            closed += Approval.objects.filter(pk=pk, closed_at=None).update(outcome=outcome, closed_at=Now())
        after = page[-1][0]
    return closed
