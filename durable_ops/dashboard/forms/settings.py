"""What people set: keys, roles, people, protection, retention."""

from collections.abc import Sequence
from typing import Any

from django import forms

from durable_ops.actions import api_keys
from durable_ops.dashboard.forms.fields import NamesField, ReasonForm, choice_field
from durable_ops.models import Right

LONGEST_KEY_DAYS = 3650
LONGEST_RETENTION_DAYS = 90


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, error_messages={"required": "Name the program that will use it."})
    days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_KEY_DAYS)
    scopes = forms.MultipleChoiceField(required=False, choices=[(right.value, right.value) for right in Right])
    functions = NamesField(max_length=5000)
    for_aws = forms.BooleanField(required=False)


class RotateForm(forms.Form):
    overlap_hours = forms.IntegerField(min_value=0, max_value=api_keys.LONGEST_OVERLAP_HOURS, initial=api_keys.DEFAULT_OVERLAP_HOURS)


class RevokeForm(forms.Form):
    """The click is the whole question."""


class RoleForm(ReasonForm):
    """`rights` only where they can be chosen."""

    needs_reason = True
    name = forms.CharField(required=False, max_length=150)
    rights = forms.MultipleChoiceField(required=False, choices=[(right.value, right.value) for right in Right])
    functions = NamesField(max_length=20_000)


class ProtectionForm(ReasonForm):
    needs_reason = True
    pattern = forms.CharField(max_length=64)
    masked = NamesField(max_length=25_000)
    needs_second_person = forms.BooleanField(required=False)


class RemoveRoleForm(ReasonForm):
    needs_reason = True


class PersonForm(ReasonForm):
    needs_reason = True
    roles = forms.MultipleChoiceField(required=False)
    is_active = forms.BooleanField(required=False)

    def __init__(self, *args: Any, roles: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "roles").choices = [(name, name) for name in roles]


class DryRunForm(forms.Form):
    function = forms.ChoiceField()
    days = forms.IntegerField(min_value=1, max_value=LONGEST_RETENTION_DAYS)

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "function").choices = [(name, name) for name in functions]
