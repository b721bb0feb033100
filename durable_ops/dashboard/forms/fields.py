"""Fields that several forms have."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms

from durable_ops.selectors.searches import read_attributes
from durable_ops.texts import json_text

MAX_REASON = 1000
"""Characters of what people say for the audit log."""


class ReasonForm(forms.Form):
    """One button, and why it is pressed. Whether a reason is needed says the form's class, or whoever makes one."""

    needs_reason: ClassVar = False
    reason = forms.CharField(
        max_length=MAX_REASON, required=False, error_messages={"required": "Say why, for whoever reads the audit log."}
    )

    def __init__(self, *args: Any, needs_reason: bool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = self.needs_reason if needs_reason is None else needs_reason


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


class AttributesField(forms.CharField):
    """`customer=42, region=eu`, as a dictionary."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=4000)

    def clean(self, value: Any) -> dict[str, Any]:
        found, problems = read_attributes(super().clean(value))
        if problems:
            raise forms.ValidationError(list(problems))
        return found


class NamesField(forms.CharField):
    """Names separated by commas, blanks or lines, as a list with each once."""

    def __init__(self, *, max_length: int) -> None:
        super().__init__(required=False, max_length=max_length)

    def clean(self, value: Any) -> list[str]:
        return list(dict.fromkeys(super().clean(value).replace(",", " ").split()))


def choice_field(form: forms.Form, name: str) -> forms.ChoiceField:
    """The field of a made form, to fill its choices or to show them."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    return field


def function_choices(functions: Sequence[str]) -> list[tuple[str, str]]:
    """With an invitation before them, which is no choice."""
    return [("", "Choose a function…"), *((name, name) for name in functions)]
