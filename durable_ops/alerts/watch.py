"""The duty that looks at every rule: alarms once, is quiet for a while, and says when it is over.

An alert begins when a rule's count reaches its threshold for a function. Failures and old approvals have their time in the count itself;
stranded and retrying executions must last the rule's minutes before anybody is told. While it lasts it is told again after each quiet
time. It is over when it was not seen for a minute, so that a count on the edge does not ring twice; one that comes back within the
quiet time is told when that is over.
"""

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from durable_ops.alerts import notices
from durable_ops.alerts.findings import Findings, Kind
from durable_ops.models import Alert, AlertRule

OVER_AFTER = timedelta(minutes=1)
KEPT_DAYS = 90
LASTING = frozenset({Kind.STRANDED, Kind.RETRY_STORM})


def turn(_: Any = None) -> int:
    """A duty: looks at each active rule; answers how many notices were promised. Several turns may overlap, in different processes."""
    rules = list(AlertRule.objects.filter(is_active=True).order_by("id"))
    findings = Findings()
    return sum(_look(rule.pk, findings) for rule in rules)


def forget_old(_: Any = None) -> int:
    """A duty: removes alerts that were over 90 days ago."""
    return Alert.objects.filter(resolved_at__lt=Now() - timedelta(days=KEPT_DAYS)).delete()[0]


def _look(rule_id: int, findings: Findings) -> int:
    with transaction.atomic():
        found = AlertRule.objects.select_for_update(skip_locked=True, of=("self",)).select_related("webhook")
        rule = found.annotate(now=Now()).filter(pk=rule_id, is_active=True).first()
        if rule is None:
            return 0
        now: datetime = rule.now
        counts = {
            function: count
            for function, count in findings.of(rule).items()
            if count >= rule.threshold and fnmatchcase(function, rule.functions)
        }
        opened = {alert.function: alert for alert in rule.alerts.filter(resolved_at=None)}
        told = sum(_seen(rule, opened.get(function), function, count, now) for function, count in sorted(counts.items()))
        return told + sum(_unseen(rule, alert, now) for function, alert in opened.items() if function not in counts)


def _seen(rule: AlertRule, alert: Alert | None, function: str, count: int, now: datetime) -> bool:
    if alert is None:
        alert = Alert.objects.create(rule=rule, function=function, began_at=now, seen_at=now)
        before = rule.alerts.filter(function=function, notified_at__isnull=False).order_by("-id").first()
        alert.notified_at = before.notified_at if before else None
    alert.seen_at, alert.count, alert.highest = now, count, max(alert.highest, count)
    has_lasted = rule.kind not in LASTING or now - alert.began_at >= timedelta(minutes=rule.minutes)
    is_quiet = alert.notified_at is not None and now - alert.notified_at < timedelta(minutes=rule.quiet_minutes)
    tells = has_lasted and not is_quiet
    if tells:
        notices.promise_firing(rule, alert, is_again=alert.fired_at is not None, now=now)
        alert.fired_at, alert.notified_at = alert.fired_at or now, now
    alert.save()
    return tells


def _unseen(rule: AlertRule, alert: Alert, now: datetime) -> bool:
    """Nobody is told of the end of what nobody was told of."""
    if now - alert.seen_at < OVER_AFTER:
        return False
    if alert.fired_at is None:
        alert.delete()
        return False
    alert.resolved_at = now
    alert.save(update_fields=["resolved_at"])
    notices.promise_resolved(rule, alert, now=now)
    return True
