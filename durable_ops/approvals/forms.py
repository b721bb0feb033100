"""The fields that are filled in with a decision: given as a Django form, a dataclass or a JSON schema, stored as a JSON schema."""

import dataclasses
import datetime as dt
import decimal
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from django import forms
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.exceptions import ValidationError as SchemaValidationError

from execution_engine.core.errors import InvalidInputError
from execution_engine.sdk.errors import ValidationError

Schema = dict[str, Any]
MAX_FIELDS = 30
ORDER = "x-order"
"""Key of a schema: the names of its fields as the author ordered them, which the database's JSON does not keep."""

_OF_PYTHON: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    decimal.Decimal: {"type": "number"},
    dt.date: {"type": "string", "format": "date"},
    dt.datetime: {"type": "string", "format": "date-time"},
}
_OF_FIELD: tuple[tuple[type[forms.Field], Schema], ...] = (
    (forms.IntegerField, {"type": "integer"}),
    (forms.FloatField, {"type": "number"}),
    (forms.DecimalField, {"type": "number"}),
    (forms.BooleanField, {"type": "boolean"}),
    (forms.DateTimeField, {"type": "string", "format": "date-time"}),
    (forms.DateField, {"type": "string", "format": "date"}),
    (forms.EmailField, {"type": "string", "format": "email"}),
    (forms.CharField, {"type": "string"}),
)


def schema_of(form: Any) -> Schema | None:
    """A flat JSON schema of type object, None without a form. Raises `ValidationError` for a form that cannot be shown."""
    if form is None:
        return None
    if isinstance(form, Mapping):
        schema = dict(form)
    elif isinstance(form, type) and issubclass(form, forms.BaseForm):
        schema = _of_django(form)
    elif isinstance(form, type) and dataclasses.is_dataclass(form):
        schema = _of_dataclass(form)
    else:
        raise ValidationError(f"form is a Django form class, a dataclass or a JSON schema, got {form!r:.100}")
    return {**_checked(schema), ORDER: list(schema["properties"])}


def properties_of(schema: Schema) -> dict[str, Schema]:
    """The fields in the author's order; in that of the schema where none was kept."""
    properties: dict[str, Schema] = schema["properties"]
    return {name: properties[name] for name in schema.get(ORDER, properties)}


def check_fields(schema: Schema | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were sent, checked against the schema. Raises `InvalidInputError` for the first field that does not fit."""
    if schema is None:
        if given:
            raise InvalidInputError("this approval asks for no fields", field=next(iter(given)))
        return {}
    known = {"additionalProperties": False, **schema}
    error = best_match(Draft202012Validator(known, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(dict(given)))
    if not _is_storable(given):
        raise InvalidInputError("a field must not hold NUL or half of a surrogate pair", field="fields")
    if error is not None:
        raise _refused(schema, given, error)
    return dict(given)


def _refused(schema: Schema, given: Mapping[str, Any], error: SchemaValidationError) -> InvalidInputError:
    """In the words of the form: what it calls the field."""
    if error.validator == "required" and not error.path:
        name = next(one for one in schema["required"] if one not in given)
        return InvalidInputError(f"{label_of(name, schema['properties'].get(name, {}))} is missing", field=name)
    if not error.path:
        return InvalidInputError(error.message, field="fields")
    name = str(error.path[0])
    return InvalidInputError(f"{label_of(name, schema['properties'].get(name, {}))}: {error.message}", field=name)


def label_of(name: str, schema: Schema) -> str:
    """What people read beside a field."""
    return str(schema.get("title") or name.replace("_", " ").capitalize())


def _is_storable(given: Mapping[str, Any]) -> bool:
    text = json.dumps(given, default=str, ensure_ascii=False)
    return "\\u0000" not in text and text == text.encode("utf-8", "replace").decode()


def _checked(schema: Schema) -> Schema:
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, Mapping) or not 0 < len(properties) <= MAX_FIELDS:
        raise ValidationError(f'the schema of a form has "type": "object" and 1 to {MAX_FIELDS} "properties"')
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValidationError(f"the schema of a form is no JSON schema: {error.message}") from error
    odd = next((name for name, one in properties.items() if not _is_plain(one)), None)
    if odd is not None:
        raise ValidationError(f"a form's fields are texts, numbers, choices, dates and yes or no; {odd!r} is none of them")
    return schema


def _is_plain(field: Any) -> bool:
    return isinstance(field, Mapping) and ("enum" in field or field.get("type") in ("string", "integer", "number", "boolean"))


def _of_django(form: type[forms.BaseForm]) -> Schema:
    fields: dict[str, forms.Field] = form.base_fields  # type: ignore[attr-defined]
    required = [name for name, field in fields.items() if field.required and not isinstance(field, forms.BooleanField)]
    return {"type": "object", "properties": {name: _of_form_field(name, field) for name, field in fields.items()}, "required": required}


def _of_form_field(name: str, field: forms.Field) -> Schema:
    found: Schema = {"title": str(field.label or name.replace("_", " ").capitalize())}
    if field.help_text:
        found["description"] = str(field.help_text)
    if isinstance(field, forms.ChoiceField):
        return found | {"type": "string", "enum": [str(key) for key, _ in field.choices if str(key)]}  # type: ignore[misc, union-attr]  # pairs, once set
    for kind, schema in _OF_FIELD:
        if isinstance(field, kind):
            found |= schema
            break
    else:
        raise ValidationError(f"a {type(field).__name__} cannot be asked with a decision")
    bounds = {"maxLength": "max_length", "minLength": "min_length", "minimum": "min_value", "maximum": "max_value"}
    return found | {key: _number(value) for key, name in bounds.items() if (value := getattr(field, name, None)) is not None}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal) else value


def _of_dataclass(form: type) -> Schema:
    hints = typing.get_type_hints(form)
    properties: dict[str, Schema] = {}
    required = []
    for field in dataclasses.fields(form):
        properties[field.name] = {"title": field.name.replace("_", " ").capitalize(), **_of_hint(hints[field.name])}
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if not has_default and not _is_optional(hints[field.name]):
            required.append(field.name)
    return {"type": "object", "properties": properties, "required": required}


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _of_hint(hint: Any) -> Schema:
    if typing.get_origin(hint) is typing.Literal:
        return {"type": "string", "enum": [str(one) for one in typing.get_args(hint)]}
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(one for one in typing.get_args(hint) if one is not type(None))
    if hint not in _OF_PYTHON:
        raise ValidationError(f"a field of type {hint!r} cannot be asked with a decision")
    return dict(_OF_PYTHON[hint])
