"""What a function wants as input, read from the annotation of its first parameter, so that a start form can be drawn.

Advice only: the handler gets the input as JSON reads it, whatever was annotated.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

MAX_DEPTH = 6
"""Types may contain themselves; a form stops drawing long before this."""

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    UUID: {"type": "string", "format": "uuid"},
}

Schema = dict[str, Any]


def schema_of(handler: Callable[..., Any]) -> Schema | None:
    """A JSON Schema of type "object", or None when the annotation says no more than that it is JSON.

    Read are TypedDict, dataclass, pydantic model, and `Annotated[dict[str, Any], Expense]`, which keeps type checkers
    honest. Keys used: type, title, description, properties, required, items, enum, format, default.
    """
    try:
        wanted = _first_annotation(handler)
        schema = _schema(wanted, MAX_DEPTH)
    except Exception:  # annotations are author code: whatever they do, a worker must start
        return None
    return schema if schema.get("type") == "object" and schema.get("properties") else None


def _first_annotation(handler: Callable[..., Any]) -> Any:
    function = inspect.unwrap(handler)
    first = next(iter(inspect.signature(function).parameters), None)
    return typing.get_type_hints(function, include_extras=True).get(first or "", Any)


def _schema(kind: Any, depth: int) -> Schema:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if depth == 0:
        return {}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments, depth)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return _union(arguments, depth)
    if origin in (typing.Required, typing.NotRequired):
        return _schema(arguments[0], depth)
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return {"type": "array", "items": _schema(arguments[0], depth - 1) if arguments else {}}
    if kind is dict or (inspect.isclass(origin) and issubclass(origin, Mapping)):
        return {"type": "object"}
    return _class_schema(kind, depth)


def _annotated(arguments: Sequence[Any], depth: int) -> Schema:
    """The schema of `Annotated[...]`. A type among the annotations takes the place of the annotated one; a text is its description."""
    described = next((one for one in arguments[1:] if inspect.isclass(one)), arguments[0])
    words = next((one for one in arguments[1:] if isinstance(one, str)), "")
    return _schema(described, depth) | ({"description": words} if words else {})


def _union(arguments: Sequence[Any], depth: int) -> Schema:
    rest = [one for one in arguments if one is not type(None)]
    return _schema(rest[0], depth) if len(rest) == 1 else {}


def _class_schema(kind: Any, depth: int) -> Schema:
    if hasattr(kind, "model_json_schema"):  # pydantic writes its own, with references to nested models
        return _resolved(kind.model_json_schema())
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if inspect.isclass(kind) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = [field for field in dataclasses.fields(kind) if field.init]
        needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
        properties = {field.name: _schema(hints[field.name], depth - 1) | _default(field) for field in fields}
        return {"type": "object", "title": kind.__name__, "properties": properties, "required": needed}
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        properties = {name: _schema(hint, depth - 1) for name, hint in hints.items()}
        return {"type": "object", "title": kind.__name__, "properties": properties, "required": sorted(kind.__required_keys__)}
    return {}


def _default(field: "dataclasses.Field[Any]") -> Schema:
    value = field.default
    return {"default": value} if isinstance(value, str | int | float | bool) and not isinstance(value, Enum) else {}


def _resolved(schema: Schema) -> Schema:
    """The schema with every `$ref` replaced by its definition, down to the depth that a form shows."""
    definitions = schema.get("$defs", {})

    def resolve(node: Any, depth: int) -> Any:
        if isinstance(node, list):
            return [resolve(one, depth) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            found = definitions.get(node["$ref"].rpartition("/")[2], {})
            return resolve(found, depth - 1) if depth else {}
        rest = [one for one in node.get("anyOf", []) if one.get("type") != "null"]
        if len(rest) == 1:
            return resolve({key: value for key, value in node.items() if key != "anyOf"} | rest[0], depth)
        return {key: resolve(value, depth) for key, value in node.items() if key != "$defs"}

    found: Schema = resolve(schema, MAX_DEPTH)
    return found
