"""Bodies and queries read strictly: unknown names are refused, texts are texts, and what PostgreSQL cannot keep is a 400."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from durable_ops.texts.json_text import text_problem


class Text(serializers.CharField):
    """A JSON string as it is: no number turned into text, no blanks cut off, no NUL."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        problem = text_problem(data)
        if problem:
            raise serializers.ValidationError(f"Holds {problem}.")
        return data


@extend_schema_field({})
class Anything(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, null included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know, so that a misspelt option is not silently ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                known = ", ".join(self.fields) or "none"
                raise serializers.ValidationError({name[:100]: [f"Unknown; allowed: {known}."] for name in unknown[:10]})
        return super().to_internal_value(data)


class StrictScheme(OpenApiSerializerExtension):
    """How the OpenAPI document says so."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        found = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**found, "additionalProperties": False}


def read(serializer_class: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """The validated values. Raises ValidationError."""
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
