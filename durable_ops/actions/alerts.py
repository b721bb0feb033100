"""What people do with alert rules: make, change, switch off, remove."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from durable_ops.actions.actor import Actor
from durable_ops.actions.patterns import check_patterns
from durable_ops.actions.rows import the_one
from durable_ops.audit import log
from durable_ops.models import AlertRule, Right, Webhook
from execution_engine.core.errors import CommandError, InvalidInputError

MAX_NAME_LENGTH = 100
MAX_RULES = 100
MAX_ADDRESSES = 20
BOUNDS = {"threshold": (1, 200), "minutes": (1, 30 * 24 * 60), "quiet_minutes": (1, 7 * 24 * 60)}
"""What a rule's numbers may be. Retries are counted up to 200."""

FIELDS = ("name", "kind", "functions", "threshold", "minutes", "quiet_minutes", "mail_to", "webhook_id", "is_active")


class AlertRuleNotFoundError(CommandError):
    code = "alert_rule_not_found"
    status = 404


def create_rule(actor: Actor, values: Mapping[str, Any]) -> AlertRule:
    """`values` has keys of FIELDS; `name` and `kind` are needed, and mail addresses or a webhook.

    Raises PermissionDenied, InvalidInputError.
    """
    actor.require(Right.MANAGE_WEBHOOKS)
    rule = AlertRule(created_by=actor.name)
    with transaction.atomic():
        if AlertRule.objects.count() >= MAX_RULES:
            raise InvalidInputError(f"There are {MAX_RULES} rules already, and no more are kept.", limit=MAX_RULES)
        _set(rule, {"name": "", "kind": "", **values})
        rule.save()
        log.append(actor, _act("alert_rule.create", rule, values=_shown(rule)))
    return rule


def change_rule(actor: Actor, rule_id: int, changes: Mapping[str, Any], *, reason: str = "") -> AlertRule:
    """Alerts that are open under a rule end without a notice when the rule is switched off.

    Raises PermissionDenied, AlertRuleNotFoundError, InvalidInputError.
    """
    actor.require(Right.MANAGE_WEBHOOKS)
    with transaction.atomic():
        rule = _locked(rule_id)
        before = _shown(rule)
        _set(rule, changes)
        rule.save()
        if not rule.is_active:
            rule.alerts.filter(resolved_at=None).delete()
        after = _shown(rule)
        changed = {name for name in FIELDS if before[name] != after[name]}
        if changed:
            facts = {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
            log.append(actor, _act("alert_rule.change", rule, reason, **facts))
    return rule


def remove_rule(actor: Actor, rule_id: int, *, reason: str = "") -> None:
    """Removes a rule together with its alerts. Raises PermissionDenied, AlertRuleNotFoundError."""
    actor.require(Right.MANAGE_WEBHOOKS)
    with transaction.atomic():
        rule = _locked(rule_id)
        log.append(actor, _act("alert_rule.remove", rule, reason, values=_shown(rule)))
        rule.delete()


def find_rule(rule_id: int) -> AlertRule:
    """Raises AlertRuleNotFoundError."""
    return _found(AlertRule.objects.all(), rule_id)


def _locked(rule_id: int) -> AlertRule:
    return _found(AlertRule.objects.select_for_update(), rule_id)


def _found(rules: QuerySet[AlertRule], rule_id: int) -> AlertRule:
    return the_one(rules.filter(pk=rule_id), AlertRuleNotFoundError("There is no such alert rule.", rule_id=rule_id))


def _set(rule: AlertRule, values: Mapping[str, Any]) -> None:
    """Raises InvalidInputError, with `field`."""
    for name, value in values.items():
        setattr(rule, name, value.strip() if isinstance(value, str) else value)
    if not 0 < len(rule.name) <= MAX_NAME_LENGTH:
        raise _invalid("name", f"A rule needs a name of 1 to {MAX_NAME_LENGTH} characters.")
    if rule.kind not in AlertRule.Kind.values:
        raise _invalid("kind", f"A rule is of one of the kinds {', '.join(AlertRule.Kind.values)}.")
    check_patterns([rule.functions], "functions")
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(rule, name) <= most:
            raise _invalid(name, f"{name.replace('_', ' ').capitalize()} is {least} to {most}.")
    _check_receivers(rule)


def _check_receivers(rule: AlertRule) -> None:
    if len(rule.mail_to) > MAX_ADDRESSES:
        raise _invalid("mail_to", f"A rule mails to at most {MAX_ADDRESSES} addresses.")
    for address in rule.mail_to:
        try:
            validate_email(address)
        except ValidationError:
            raise _invalid("mail_to", f"“{address[:100]}” is no mail address.") from None
    if rule.webhook_id is not None and not Webhook.objects.filter(pk=rule.webhook_id).exists():
        raise _invalid("webhook", "There is no such webhook.")
    if not rule.mail_to and rule.webhook_id is None:
        raise _invalid("mail_to", "A rule tells somebody: name mail addresses or a webhook.")


def _invalid(field: str, words: str) -> InvalidInputError:
    return InvalidInputError(words, field=field)


def _shown(rule: AlertRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in FIELDS}


def _act(action: str, rule: AlertRule, reason: str = "", **facts: Any) -> log.Act:
    return log.Act(action, "alert_rule", str(rule.pk), reason=reason, facts={"name": rule.name, **facts})
