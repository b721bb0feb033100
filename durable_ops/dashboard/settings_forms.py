"""POST bodies of the settings."""

from collections.abc import Sequence
from typing import Any

from django import forms

from durable_ops.roles import ROLES

LONGEST_KEY_DAYS = 3650
LONGEST_RETENTION_DAYS = 90


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, error_messages={"required": "Name the program that will use it."})
    days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_KEY_DAYS)


class RevokeForm(forms.Form):
    """The click is the whole question."""


class PersonForm(forms.Form):
    roles = forms.MultipleChoiceField(required=False, choices=[(role, role) for role in ROLES])
    is_active = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why, for whoever reads the audit log."})


class DryRunForm(forms.Form):
    function = forms.ChoiceField()
    days = forms.IntegerField(min_value=1, max_value=LONGEST_RETENTION_DAYS)

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["function"].choices = [(name, name) for name in functions]  # type: ignore[attr-defined]
