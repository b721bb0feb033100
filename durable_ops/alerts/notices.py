"""Mails and webhook deliveries of alerts, promised in the transaction of the look that found them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.urls import reverse

from durable_ops.models import Alert, AlertRule, Outbox
from durable_ops.webhooks.events import Event, EventType, promise_to

_STATES = {"failed": {"status": "FAILED"}, "stranded": {"state": "stranded"}, "retry_storm": {"state": "retrying"}}


def promise_firing(rule: AlertRule, alert: Alert, *, is_again: bool, now: datetime) -> None:
    """Mails and a webhook event in the transaction of what was found; `is_again` when it was told before."""
    _promise(rule, alert, EventType.ALERT, "alert_firing", now, is_again=is_again)


def promise_resolved(rule: AlertRule, alert: Alert, *, now: datetime) -> None:
    """The same when it is over."""
    _promise(rule, alert, EventType.RESOLVED, "alert_resolved", now, is_again=False)


def sentence(rule: AlertRule, function: str, count: int) -> str:
    """What is wrong, in words: also for the page of alerts."""
    span = "minute" if rule.minutes == 1 else f"{rule.minutes} minutes"
    one = count == 1
    words = {
        "failed": f"{count} execution{'' if one else 's'} of {function} failed within {span}",
        "stranded": f"{count} due execution{'' if one else 's'} of {function} {'is' if one else 'are'} served by no worker",
        "retry_storm": f"{count} execution{'' if one else 's'} of {function} {'waits' if one else 'wait'} for another attempt",
        "old_approval": f"{count} approval{'' if one else 's'} of {function} {'has' if one else 'have'} waited for more than {span}",
    }
    return words[rule.kind]


def _promise(rule: AlertRule, alert: Alert, kind: EventType, template: str, now: datetime, *, is_again: bool) -> None:
    facts = _facts(rule, alert, is_again=is_again)
    Outbox.objects.bulk_create(
        Outbox(message_id=f"<{uuid4().hex}@{DNS_NAME}>", template=template, address=address, facts=facts) for address in rule.mail_to
    )
    if rule.webhook is not None and rule.webhook.is_active:
        promise_to(rule.webhook, Event(kind, f"{alert.pk}:{now.isoformat()}", now, alert.function, None, facts))


def _facts(rule: AlertRule, alert: Alert, *, is_again: bool) -> dict[str, Any]:
    if rule.kind == AlertRule.Kind.OLD_APPROVAL:
        address = reverse("dashboard:approvals") + "?box=all"
    else:
        address = f"{reverse('dashboard:executions')}?{urlencode({'function': alert.function, **_STATES[rule.kind]})}"
    return {
        "alert": alert.pk,
        "rule": rule.name,
        "kind": rule.kind,
        "function": alert.function,
        "count": alert.count,
        "highest": alert.highest,
        "threshold": rule.threshold,
        "minutes": rule.minutes,
        "quiet_minutes": rule.quiet_minutes,
        "began_at": alert.began_at.isoformat(),
        "is_again": is_again,
        "sentence": sentence(rule, alert.function, alert.count),
        "url": f"{settings.PUBLIC_URL}{address}",
    }
