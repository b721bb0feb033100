"""What people set as the limits of a function."""

from dataclasses import fields

from django import forms

from durable_ops.dashboard.forms.fields import ReasonForm
from execution_engine.core.attributes import MAX_PRIORITY
from execution_engine.core.limits import MAX_CONCURRENCY, MAX_SECONDS, Limits


class LimitsForm(ReasonForm):
    needs_reason = True
    concurrency = forms.IntegerField(required=False, min_value=1, max_value=MAX_CONCURRENCY)
    per_key = forms.IntegerField(required=False, min_value=1, max_value=MAX_CONCURRENCY)
    starts = forms.IntegerField(required=False, min_value=1, max_value=MAX_CONCURRENCY)
    seconds = forms.IntegerField(required=False, min_value=1, max_value=MAX_SECONDS)
    burst = forms.IntegerField(required=False, min_value=1, max_value=MAX_CONCURRENCY)
    priority = forms.IntegerField(required=False, min_value=0, max_value=MAX_PRIORITY)
    revision = forms.IntegerField(min_value=0, max_value=2**31 - 1)

    def limits(self) -> Limits:
        """What was left empty is no limit, or its default."""
        return Limits(**{one.name: self.cleaned_data[one.name] for one in fields(Limits) if self.cleaned_data[one.name] is not None})
