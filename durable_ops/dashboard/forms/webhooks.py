"""What people say of webhooks."""

from django import forms

from durable_ops.webhooks.addresses import MAX_URL_LENGTH
from durable_ops.webhooks.events import LABELS


class WebhookForm(forms.Form):
    """What an administrator says about a webhook; the action judges the address and the pattern."""

    name = forms.CharField(max_length=100, error_messages={"required": "Name whoever listens."})
    url = forms.CharField(max_length=MAX_URL_LENGTH, error_messages={"required": "Where to?"})
    functions = forms.CharField(max_length=64, required=False)
    events = forms.MultipleChoiceField(
        choices=[(one.value, label) for one, label in LABELS.items()], error_messages={"required": "Choose at least one event."}
    )

    def clean_functions(self) -> str:
        return self.cleaned_data["functions"] or "*"
