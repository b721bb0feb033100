"""What people say of schedules."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms

from durable_ops.dashboard.forms.fields import AttributesField, JsonTextField, ReasonForm, choice_field, function_choices
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY
from execution_engine.core.calendar import MAX_RULE_CHARACTERS
from execution_engine.core.schedules import MAX_CATCH_UP, MAX_NAME, Overlap, ScheduleValues
from execution_engine.selectors.schedules import ScheduleRow

OVERLAPS = ((Overlap.ALLOW.value, "Start it all the same"), (Overlap.SKIP.value, "Leave the firing out"))


class ScheduleForm(ReasonForm):
    name = forms.CharField(max_length=MAX_NAME, error_messages={"required": "Name the schedule."})
    function = forms.ChoiceField(error_messages={"required": "Choose a function."})
    version = forms.CharField(required=False, max_length=200)
    rule = forms.CharField(max_length=MAX_RULE_CHARACTERS, error_messages={"required": "Say when: a cron line, or a number of seconds."})
    timezone = forms.CharField(max_length=100, required=False)
    input = JsonTextField()
    attributes = AttributesField()
    concurrency_key = forms.CharField(required=False, max_length=MAX_CONCURRENCY_KEY)
    priority = forms.IntegerField(required=False, min_value=0, max_value=MAX_PRIORITY)
    overlap = forms.ChoiceField(choices=OVERLAPS)
    catch_up = forms.IntegerField(min_value=0, max_value=MAX_CATCH_UP)
    revision = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice_field(self, "function").choices = function_choices(functions)

    def values(self, before: ScheduleRow | None, *, keeps: Collection[str] = ()) -> ScheduleValues:
        """`keeps`: who may not read the input or the attributes changes the rest without them."""
        data = dict(self.cleaned_data) | {name: getattr(before, name) for name in keeps}
        return ScheduleValues(
            name=data["name"],
            function=data["function"],
            rule=data["rule"],
            timezone=data["timezone"] or "UTC",
            version=data["version"] or None,
            input=data["input"],
            attributes=data["attributes"],
            concurrency_key=data["concurrency_key"] or None,
            priority=data["priority"],
            overlap=Overlap(data["overlap"]),
            catch_up=data["catch_up"],
            is_paused=before is not None and before.is_paused,
        )


def initial_of(row: ScheduleRow) -> Mapping[str, Any]:
    shown = {name: getattr(row, name) for name in ScheduleForm.base_fields if name not in ("reason", "attributes")}
    return {**shown, "attributes": ", ".join(f"{key}={value}" for key, value in row.attributes.items())}


class RangeForm(ReasonForm):
    """A range of days and times, UTC. Empty: nothing was asked yet."""

    start = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], error_messages={"required": "Say where it begins."})
    end = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], error_messages={"required": "Say where it ends."})
