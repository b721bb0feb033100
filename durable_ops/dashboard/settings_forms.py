"""POST bodies of the settings."""

from collections.abc import Sequence
from typing import Any

from django import forms

from durable_ops.actions import api_keys
from durable_ops.models import Right

LONGEST_KEY_DAYS = 3650
LONGEST_RETENTION_DAYS = 90


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, error_messages={"required": "Name the program that will use it."})
    days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_KEY_DAYS)

    scopes = forms.MultipleChoiceField(required=False, choices=[(right.value, right.value) for right in Right])
    functions = forms.CharField(required=False, max_length=5000)
    for_aws = forms.BooleanField(required=False)

    def clean_functions(self) -> list[str]:
        return words(self.cleaned_data["functions"])


class RotateForm(forms.Form):
    overlap_hours = forms.IntegerField(min_value=0, max_value=api_keys.LONGEST_OVERLAP_HOURS, initial=api_keys.DEFAULT_OVERLAP_HOURS)


class RevokeForm(forms.Form):
    """The click is the whole question."""


class RoleForm(forms.Form):
    """`rights` only where they can be chosen."""

    name = forms.CharField(required=False, max_length=150)
    rights = forms.MultipleChoiceField(required=False, choices=[(right.value, right.value) for right in Right])
    functions = forms.CharField(required=False, max_length=20_000)
    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why, for whoever reads the audit log."})

    def clean_functions(self) -> list[str]:
        return words(self.cleaned_data["functions"])


class ProtectionForm(forms.Form):
    pattern = forms.CharField(max_length=64)
    masked = forms.CharField(required=False, max_length=25_000)
    needs_second_person = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why, for whoever reads the audit log."})

    def clean_masked(self) -> list[str]:
        return words(self.cleaned_data["masked"])


class RemoveRoleForm(forms.Form):
    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why, for whoever reads the audit log."})


class PersonForm(forms.Form):
    roles = forms.MultipleChoiceField(required=False)
    is_active = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=1000, error_messages={"required": "Say why, for whoever reads the audit log."})

    def __init__(self, *args: Any, roles: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(name, name) for name in roles]  # type: ignore[attr-defined]


class DryRunForm(forms.Form):
    function = forms.ChoiceField()
    days = forms.IntegerField(min_value=1, max_value=LONGEST_RETENTION_DAYS)

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["function"].choices = [(name, name) for name in functions]  # type: ignore[attr-defined]


def words(text: str) -> list[str]:
    """Names separated by commas, blanks or lines, once each."""
    return list(dict.fromkeys(text.replace(",", " ").split()))
