"""What time does to approvals: reminders, escalation, and the end of those whose callback ended without a decision."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from durable_ops.approvals import assigning, mails
from durable_ops.models import Approval
from durable_ops.webhooks.approval_events import announce
from durable_ops.webhooks.events import EventType
from execution_engine.core.enums import ExecutionStatus, OperationStatus
from execution_engine.selectors.callbacks import CallbackRow, callback_states, find_callback

BATCH = 100
MAX_REMINDERS = 20


def remind(_: Any = None) -> int:
    """Mails everybody who is asked again, every `remind_after` seconds and at most 20 times."""
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
    """Asks the groups of `escalate_to` as well, once. Those who were asked first may still decide."""
    with transaction.atomic():
        due = Approval.objects.select_for_update(skip_locked=True).filter(closed_at=None, escalate_at__lte=Now()).order_by("escalate_at")
        found = list(due[:BATCH])
        for approval in found:
            # A group that was asked before and reassigned away is asked again.
            assigning.put_to(approval, assigning.groups({name: key for key, name in approval.escalate_to}, is_escalation=True))
            mails.queue_escalation(approval)
            announce(EventType.ESCALATED, approval, to=[name for _, name in approval.escalate_to])
        done = Approval.objects.filter(pk__in=[one.pk for one in found])
        done.update(escalate_at=None, escalated_at=Now(), claimed_by=None, claimed_at=None)
    return len(found)


def close_ended(_: Any = None, *, after: int = 0) -> int:
    """Closes approvals that nobody can decide any more: timed out, stopped, redriven or purged. Reads all open ones, in pages."""
    closed = 0
    while page := list(Approval.objects.filter(closed_at=None, pk__gt=after).order_by("pk").values_list("pk", "callback_id")[:1000]):
        states = callback_states([callback_id for _, callback_id in page])
        closed += sum(_close(pk) for pk, callback_id in page if not _is_pending(states.get(callback_id)))
        after = page[-1][0]
    return closed


def _close(pk: int) -> bool:
    """Looks again under the row's lock: a redrive may have asked anew."""
    with transaction.atomic():
        approval = Approval.objects.select_for_update(skip_locked=True).filter(pk=pk, closed_at=None).first()
        if approval is None or _is_pending(state := find_callback(approval.callback_id)):
            return False
        approval.outcome = Approval.Outcome.EXPIRED if _is_late(state) else Approval.Outcome.WITHDRAWN
        approval.closed_at = Now()
        approval.save(update_fields=["outcome", "closed_at"])
        if approval.outcome == Approval.Outcome.EXPIRED:
            announce(EventType.EXPIRED, approval)
    return True


def _is_pending(state: CallbackRow | None) -> bool:
    return state is not None and state.is_pending


def _is_late(state: CallbackRow | None) -> bool:
    """Whether its time is over, even if the timer has not fired yet."""
    if state is None or state.status == OperationStatus.TIMED_OUT:
        return state is not None
    is_due = state.due_at is not None and state.due_at <= state.read_at
    return state.status == OperationStatus.STARTED and is_due and not ExecutionStatus(state.execution_status).is_terminal
