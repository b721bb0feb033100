"""What people say of alert rules."""

import re
from typing import Any

from django import forms

from durable_ops.actions.alerts import BOUNDS
from durable_ops.dashboard.forms.fields import choice_field
from durable_ops.models import AlertRule, Webhook


def _number(name: str, initial: int) -> forms.IntegerField:
    least, most = BOUNDS[name]
    return forms.IntegerField(min_value=least, max_value=most, initial=initial)


class AlertRuleForm(forms.Form):
    """What an administrator says about a rule; the action judges it again."""

    name = forms.CharField(max_length=100, error_messages={"required": "Name the rule: it is the beginning of the mail's subject."})
    kind = forms.ChoiceField(choices=AlertRule.Kind.choices)
    functions = forms.CharField(max_length=64, required=False)
    threshold = _number("threshold", 5)
    minutes = _number("minutes", 10)
    quiet_minutes = _number("quiet_minutes", 60)
    mail_to = forms.CharField(max_length=4000, required=False)
    webhook = forms.ChoiceField(required=False)
    is_active = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hooks = Webhook.objects.order_by("name", "id").values_list("id", "name")
        choice_field(self, "webhook").choices = [("", "none"), *((str(key), name) for key, name in hooks)]

    def values(self) -> dict[str, Any]:
        """As the action takes them."""
        data = dict(self.cleaned_data)
        webhook = data.pop("webhook")
        addresses = [one for one in re.split(r"[\s,;]+", data["mail_to"]) if one]
        return {**data, "functions": data["functions"] or "*", "mail_to": addresses, "webhook_id": int(webhook) if webhook else None}


def initial_of(rule: AlertRule) -> dict[str, Any]:
    names = ("name", "kind", "functions", "threshold", "minutes", "quiet_minutes", "is_active")
    own = {name: getattr(rule, name) for name in names}
    return {**own, "mail_to": ", ".join(rule.mail_to), "webhook": str(rule.webhook_id or "")}
