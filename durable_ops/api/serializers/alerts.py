"""Bodies and answers of alert rules."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.alerts import BOUNDS, FIELDS, MAX_ADDRESSES
from durable_ops.api.serializers.answers import from_row
from durable_ops.api.serializers.requests import MAX_COMMENT
from durable_ops.api.serializers.strict import StrictSerializer, Text
from durable_ops.models import Alert, AlertRule


def _number(name: str, words: str) -> serializers.IntegerField:
    least, most = BOUNDS[name]
    return serializers.IntegerField(required=False, min_value=least, max_value=most, help_text=words)


class ChangeAlertRuleBody(StrictSerializer):
    name = Text(required=False, max_length=100)
    kind = serializers.ChoiceField(AlertRule.Kind.values, required=False)
    functions = Text(required=False, max_length=64, help_text="a pattern; each function is counted by itself")
    threshold = _number("threshold", "from how many on (1)")
    minutes = _number("minutes", "failures within them; stranding and retries that last so long; approvals older than that (10)")
    quiet_minutes = _number("quiet_minutes", "told again after that while it lasts (60)")
    mail_to = serializers.ListField(child=Text(max_length=320), required=False, max_length=MAX_ADDRESSES)
    webhook = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**62)
    is_active = serializers.BooleanField(required=False)
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class CreateAlertRuleBody(ChangeAlertRuleBody):
    name = Text(max_length=100)
    kind = serializers.ChoiceField(AlertRule.Kind.values)


class AlertRuleDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(AlertRule.Kind.values)
    functions = serializers.CharField()
    threshold = serializers.IntegerField()
    minutes = serializers.IntegerField()
    quiet_minutes = serializers.IntegerField()
    mail_to = serializers.ListField(child=serializers.CharField())
    webhook = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class AlertDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    rule = serializers.IntegerField()
    function = serializers.CharField()
    count = serializers.IntegerField()
    highest = serializers.IntegerField()
    began_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    notified_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True, help_text="none while it fires")


def values(body: dict[str, Any]) -> dict[str, Any]:
    """As the action takes them."""
    named = {("webhook_id" if name == "webhook" else name): value for name, value in body.items()}
    return {name: named[name] for name in FIELDS if name in named}


def rule(one: AlertRule) -> dict[str, Any]:
    return from_row(AlertRuleDocument, one, webhook=one.webhook_id)


def alert(one: Alert) -> dict[str, Any]:
    return from_row(AlertDocument, one, rule=one.rule_id)
