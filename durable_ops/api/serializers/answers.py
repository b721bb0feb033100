"""Plain dictionaries for answers. Times are ISO 8601 in UTC with milliseconds, durations are seconds."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from rest_framework import serializers


def from_row(document: type[serializers.Serializer[Any]], row: object, **own: Any) -> dict[str, Any]:
    """A database row as `document` names it; `own` gives what is no column of that name."""
    return plain_object({name: own[name] if name in own else getattr(row, name) for name in document._declared_fields})


def plain_object(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """A value of the selectors as JSON types: dataclasses become objects, enums their values."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    if isinstance(value, UUID):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value]
