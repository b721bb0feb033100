"""Every POST body of the console. Forms check shapes; rights and rules are the actions' business."""

from collections.abc import Sequence
from typing import Any

from django import forms

from durable_ops.actions.repairs import Replacement
from durable_ops.searches import read_attributes
from durable_ops.texts import json_text
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY
from execution_engine.core.errors import InvalidInputError


class JsonTextField(forms.CharField):
    """JSON text, kept exactly as it was typed; empty means no payload."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, strip=True, **options)

    def clean(self, value: Any) -> str | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            json_text.parse(text)
        except json_text.JsonTextError as error:
            raise forms.ValidationError(str(error)) from error
        return str(text)


class StartForm(forms.Form):
    function = forms.ChoiceField(error_messages={"required": "Choose a function."})
    version = forms.CharField(required=False, max_length=200)
    name = forms.CharField(required=False, max_length=256)
    attributes = forms.CharField(required=False, max_length=4000)
    concurrency_key = forms.CharField(required=False, max_length=MAX_CONCURRENCY_KEY)
    priority = forms.IntegerField(required=False, min_value=0, max_value=MAX_PRIORITY)
    input = JsonTextField()

    def __init__(self, *args: Any, functions: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose a function…"), *((name, name) for name in functions)]
        self.fields["function"].choices = choices  # type: ignore[attr-defined]

    def clean_attributes(self) -> dict[str, Any]:
        found, problems = read_attributes(self.cleaned_data["attributes"])
        if problems:
            raise forms.ValidationError(list(problems))
        return dict(found)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=1000, required=False)

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason
        self.fields["reason"].error_messages["required"] = "Say why, for whoever reads the audit log."


class RepairForm(ReasonForm):
    """What is chosen and typed for a plan and for the act that follows it."""

    def values(self) -> dict[str, Any]:
        """Of a valid form, by the names that plan and act share."""
        raise NotImplementedError

    def planned(self) -> dict[str, Any]:
        """Keyword arguments of the plan, whether or not a reason is there yet. Raises InvalidInputError for what is not JSON."""
        if not self.is_bound:
            return {name: value or None for name, value in self.initial.items()}
        for name, errors in self.errors.items():
            if name != "reason":
                raise InvalidInputError(str(errors[0]), field=name)
        return self.values()


class RedriveForm(RepairForm):
    from_operation = forms.CharField(max_length=200, required=False)
    replaces_result = forms.BooleanField(required=False)
    result = JsonTextField()
    input = JsonTextField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=True, **kwargs)

    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        if data.get("replaces_result") and not data.get("from_operation"):
            self.add_error("from_operation", "Choose the operation whose result you give.")
        return data

    def values(self) -> dict[str, Any]:
        """A replaced value is among them only when one was given."""
        data = self.cleaned_data
        values: dict[str, Any] = {"from_operation": data["from_operation"] or None}
        if data["replaces_result"]:
            values["result"] = Replacement(data["result"])
        return values | ({"input": Replacement(data["input"])} if data["input"] is not None else {})

    def wishes(self) -> dict[str, Any]:
        """Keyword arguments of the action."""
        return {"reason": self.cleaned_data["reason"], **self.values()}


class ForkForm(RepairForm):
    from_operation = forms.CharField(max_length=200, required=False)
    version = forms.CharField(max_length=200, required=False)
    name = forms.CharField(max_length=256, required=False)
    input = JsonTextField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=False, **kwargs)

    def values(self) -> dict[str, Any]:
        """A new input is among them only when one was given."""
        data = self.cleaned_data
        values: dict[str, Any] = {key: data[key] or None for key in ("from_operation", "version")}
        return values | ({"input": Replacement(data["input"])} if data["input"] is not None else {})

    def wishes(self) -> dict[str, Any]:
        """Keyword arguments of the action."""
        return {"reason": self.cleaned_data["reason"], "name": self.cleaned_data["name"] or None, **self.values()}


class MoveForm(ReasonForm):
    version = forms.CharField(max_length=200, error_messages={"required": "Choose the version to move to."})
    force = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=True, **kwargs)


class SignalForm(forms.Form):
    name = forms.CharField(max_length=256, error_messages={"required": "Name the signal that the function waits for."})
    payload = JsonTextField()


class DecisionForm(forms.Form):
    comment = forms.CharField(required=False, max_length=2000)
