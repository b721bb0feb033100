"""The people's side as a Django app."""

from django.apps import AppConfig
from django.conf import settings

from execution_engine.sdk import ports
from execution_engine.worker import duties


class DurableOpsConfig(AppConfig):
    name = "durable_ops"
    verbose_name = "Durable Ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from durable_ops.actions import batch_work, redrive_requests  # models exist only now
        from durable_ops.actions.approval_desk import Desk
        from durable_ops.alerts import watch
        from durable_ops.api import idempotency
        from durable_ops.approvals import outbox, reminders
        from durable_ops.audit import seals
        from durable_ops.costs import ledger
        from durable_ops.webhooks import collect, deliver

        duties.register("seal-audit", duties.Duty(1, seals.turn))
        duties.register("send-mails", duties.Duty(1, outbox.send_due, may_block=True))
        duties.register("forget-old-mails", duties.Duty(600, outbox.forget_old, may_block=True))
        duties.register("remind-approvers", duties.Duty(10, reminders.remind, may_block=True))
        duties.register("escalate-approvals", duties.Duty(10, reminders.escalate, may_block=True))
        duties.register("close-ended-approvals", duties.Duty(5, reminders.close_ended, may_block=True))
        duties.register("book-costs", duties.Duty(2, ledger.turn, may_block=True))
        duties.register("keep-cost-house", duties.Duty(600, ledger.keep_house, may_block=True))
        duties.register("work-batches", duties.Duty(1, batch_work.work, may_block=True))
        duties.register("forget-redrive-requests", duties.Duty(600, redrive_requests.forget_old, may_block=True))
        duties.register("forget-old-batches", duties.Duty(3600, batch_work.forget_old, may_block=True))
        duties.register("forget-old-answers", duties.Duty(60, idempotency.forget_old, may_block=True))
        duties.register("collect-events", duties.Duty(1, collect.turn, may_block=True))
        duties.register("deliver-webhooks", duties.Duty(1, deliver.turn, may_block=True))
        duties.register("watch-alert-rules", duties.Duty(15, watch.turn, may_block=True))
        duties.register("forget-old-alerts", duties.Duty(3600, watch.forget_old, may_block=True))
        duties.register("forget-old-deliveries", duties.Duty(600, deliver.forget_old, may_block=True))
        ports.bind(callback_url=decision_address, approval_desk=Desk())


def decision_address(callback_id: str, decision: str) -> str:
    """Where a signed-in person approves or rejects; begins with PUBLIC_URL, so that it can be mailed."""
    return f"{getattr(settings, 'PUBLIC_URL', '')}/callbacks/{callback_id}/{decision}"
