"""What people choose and type to redrive, fork and move an execution."""

from typing import Any

from django import forms

from durable_ops.actions.repairs import Replacement
from durable_ops.dashboard.forms.fields import JsonTextField, ReasonForm
from execution_engine.core.errors import InvalidInputError


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
    needs_reason = True
    from_operation = forms.CharField(max_length=200, required=False)
    replaces_result = forms.BooleanField(required=False)
    result = JsonTextField()
    input = JsonTextField()

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

    def values(self) -> dict[str, Any]:
        """A new input is among them only when one was given."""
        data = self.cleaned_data
        values: dict[str, Any] = {key: data[key] or None for key in ("from_operation", "version")}
        return values | ({"input": Replacement(data["input"])} if data["input"] is not None else {})

    def wishes(self) -> dict[str, Any]:
        """Keyword arguments of the action."""
        return {"reason": self.cleaned_data["reason"], "name": self.cleaned_data["name"] or None, **self.values()}


class MoveForm(ReasonForm):
    needs_reason = True
    version = forms.CharField(max_length=200, error_messages={"required": "Choose the version to move to."})
    force = forms.BooleanField(required=False)
