"""What each kind of rule counts, by function."""

from collections import Counter
from datetime import timedelta

from django.db.models.functions import Now

from durable_ops.models import AlertRule, Approval
from execution_engine.models import Execution
from execution_engine.selectors import trouble

Kind = AlertRule.Kind
APPROVALS_READ = 1_000


class Findings:
    """Of one look: rules that ask the same are answered from one query."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], dict[str, int]] = {}

    def of(self, rule: AlertRule) -> dict[str, int]:
        """How many executions or approvals of which function are in this trouble, whatever the rule's threshold and pattern."""
        minutes = rule.minutes if rule.kind in (Kind.FAILED, Kind.OLD_APPROVAL) else 0
        key = (rule.kind, minutes)
        if key not in self._known:
            self._known[key] = self._look(Kind(rule.kind), timedelta(minutes=minutes))
        return self._known[key]

    def _look(self, kind: Kind, time: timedelta) -> dict[str, int]:
        if kind is Kind.FAILED:
            return trouble.failures(time)
        if kind is Kind.STRANDED:
            return trouble.stranded()
        if kind is Kind.RETRY_STORM:
            return trouble.retrying()
        return _old_approvals(time)


def _old_approvals(age: timedelta) -> dict[str, int]:
    """Among the thousand oldest. Two queries."""
    old = Approval.objects.filter(closed_at=None, asked_at__lte=Now() - age).order_by("asked_at", "id")
    waiting = list(old.values_list("execution_id", flat=True)[:APPROVALS_READ])
    functions = dict(Execution.objects.filter(id__in=waiting).values_list("id", "function"))
    return dict(Counter(functions[one] for one in waiting if one in functions))
