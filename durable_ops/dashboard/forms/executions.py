"""What people start, signal and decide."""

from collections.abc import Sequence
from typing import Any

from django import forms

from durable_ops.dashboard.forms.fields import AttributesField, JsonTextField, choice_field, function_choices
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY


class StartForm(forms.Form):
    function = forms.ChoiceField(error_messages={"required": "Choose a function."})
    version = forms.CharField(required=False, max_length=200)
    name = forms.CharField(required=False, max_length=256)
    attributes = AttributesField()
    concurrency_key = forms.CharField(required=False, max_length=MAX_CONCURRENCY_KEY)
    priority = forms.IntegerField(required=False, min_value=0, max_value=MAX_PRIORITY)
    input = JsonTextField()

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "function").choices = function_choices(functions)


class SignalForm(forms.Form):
    name = forms.CharField(max_length=256, error_messages={"required": "Name the signal that the function waits for."})
    payload = JsonTextField()


class DecisionForm(forms.Form):
    comment = forms.CharField(required=False, max_length=2000)
