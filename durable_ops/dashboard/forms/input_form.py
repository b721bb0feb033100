"""The start form of a function: fields drawn from the schema of its input, and the JSON that they make."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from durable_ops.texts import json_text

PREFIX = "field-"
FIELDS_DRAWN = 40
_INPUT_TYPES = {"date": "date", "date-time": "text", "time": "time", "email": "email", "uri": "url"}
_KINDS = {"string": "text", "integer": "number", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class InputField:
    """One property of the input. `kind` is text, number, boolean, choice or json; `value` is what stands in the field."""

    name: str
    kind: str
    label: str
    hint: str
    is_required: bool
    is_integer: bool
    input_type: str
    choices: tuple[str, ...]
    value: str
    error: str = ""

    @property
    def key(self) -> str:
        """Its name in the form, apart from the form's own fields."""
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class InputForm:
    """The fields with what was typed into them; `text` is the JSON they make, None while one of them is wrong."""

    fields: tuple[InputField, ...]
    text: str | None

    @property
    def problems(self) -> tuple[InputField, ...]:
        return tuple(field for field in self.fields if field.error)


def read_schema(text: str) -> dict[str, Any] | None:
    """The schema of an object with at most forty properties; None when there is none that a form could show."""
    try:
        schema = json.loads(text) if text else None
    except ValueError:
        return None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return schema if isinstance(properties, dict) and 0 < len(properties) <= FIELDS_DRAWN else None


def empty_form(schema: Mapping[str, Any]) -> InputForm:
    needed = schema.get("required", [])
    return InputForm(tuple(_field(name, one, name in needed) for name, one in schema["properties"].items()), None)


def filled_form(schema: Mapping[str, Any], text: str | None) -> InputForm | None:
    """The form with the values of this JSON, or None when the form could not say all of it."""
    form = empty_form(schema)
    try:
        given = json.loads(text) if text and text.strip() else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or not given.keys() <= schema["properties"].keys():
        return None
    fields = [replace(field, value=_shown(field, given[field.name])) if field.name in given else field for field in form.fields]
    return InputForm(tuple(fields), text)


def posted_form(schema: Mapping[str, Any], posted: Mapping[str, str]) -> InputForm:
    """Reads what was typed. An empty field that need not be filled is left out of the input."""
    values: dict[str, Any] = {}
    fields = []
    for field in empty_form(schema).fields:
        text = posted.get(field.key, "").strip()
        try:
            found = _value(field, text)
        except ValueError as error:
            fields.append(replace(field, value=text, error=str(error)))
            continue
        fields.append(replace(field, value=text))
        if found is not _LEFT_OUT:
            values[field.name] = found
    is_whole = not any(field.error for field in fields)
    return InputForm(tuple(fields), json.dumps(values, ensure_ascii=False, indent=2) if is_whole else None)


def switched(schema: Mapping[str, Any] | None, posted: Mapping[str, str], *, to_json: bool) -> tuple[InputForm | None, str]:
    """The other way of giving the same input: the form (None when it cannot show it) and the text of the editor."""
    if schema is None or not to_json:
        text = posted.get("input", "")
        return (filled_form(schema, text) if schema is not None else None), text
    return None, posted_form(schema, posted).text or ""


_LEFT_OUT: Any = object()


def _field(name: str, schema: Mapping[str, Any], is_required: bool) -> InputField:
    choices = tuple(str(one) for one in schema.get("enum", ()))
    kind = "choice" if choices else _KINDS.get(str(schema.get("type", "")), "json")
    default = schema.get("default")
    return InputField(
        name=name,
        kind=kind,
        label=str(schema.get("title") or name) if kind != "json" else name,
        hint=str(schema.get("description", "")),
        is_required=is_required and kind != "boolean",
        is_integer=schema.get("type") == "integer",
        input_type=_INPUT_TYPES.get(str(schema.get("format", "")), "text"),
        choices=choices,
        value="" if default is None else _text(default),
    )


def _shown(field: InputField, value: Any) -> str:
    return _text(value) if field.kind != "json" else json.dumps(value, ensure_ascii=False, indent=2)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(field: InputField, text: str) -> Any:
    """What the field means. Raises ValueError with words for a person."""
    if field.kind == "boolean":
        return text in ("on", "true")
    if not text:
        if field.is_required:
            raise ValueError("This is needed.")
        return _LEFT_OUT
    if field.kind == "number":
        return _number(text, field.is_integer)
    if field.kind == "choice":
        return _choice(field.choices, text)
    return _json(text) if field.kind == "json" else text


def _number(text: str, is_integer: bool) -> int | float:
    try:
        return int(text) if is_integer else json.loads(text, parse_constant=_no_constant)
    except (ValueError, TypeError) as error:
        raise ValueError("This must be a whole number." if is_integer else "This must be a number, as 12.5.") from error


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _choice(choices: Sequence[str], text: str) -> str:
    if text not in choices:
        raise ValueError(f"This must be one of {', '.join(choices)}.")
    return text


def _json(text: str) -> Any:
    try:
        json_text.parse(text)
        return json.loads(text)
    except (json_text.JsonTextError, RecursionError) as error:
        raise ValueError(f"This must be JSON: {error}") from error
