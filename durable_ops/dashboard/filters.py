"""List filters from the URL, read leniently: an unknown value narrows nothing and is told to the reader."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from execution_engine.core.enums import ExecutionStatus
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters


@dataclass(frozen=True, slots=True)
class ReadFilters:
    """`filters` as the selector takes them and the parts of the address that were not understood."""

    filters: ExecutionFilters
    problems: tuple[str, ...]

    @property
    def is_narrow(self) -> bool:
        return self.filters != ExecutionFilters()


def read_filters(query: QueryDict) -> ReadFilters:
    """Keys: status, state, function, version, q (prefix of name or id), attribute (`key=value`, several by comma),
    parent (an execution id)."""
    problems: list[str] = []
    text = query.get("q", "").strip().replace("\x00", "")
    filters = ExecutionFilters(
        status=_one_of(ExecutionStatus, query.get("status", "").strip().upper(), "status", problems),
        state=_one_of(StateCode, query.get("state", "").strip().lower(), "state", problems),
        function=query.get("function", "").strip().replace("\x00", "") or None,
        version=query.get("version", "").strip().replace("\x00", "") or None,
        text=text,
        attributes=read_attributes(query.get("attribute", ""), problems),
        parent_id=_id(query.get("parent", "").strip(), problems),
    )
    return ReadFilters(filters, tuple(problems))


def read_attributes(text: str, problems: list[str]) -> Mapping[str, Any]:
    """`customer=42, region=eu` as {"customer": 42, "region": "eu"}: a value that reads as JSON is that value."""
    found: dict[str, Any] = {}
    for part in text.replace("\x00", "").replace("\n", ",").split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            problems.append(f"Attribute “{part.strip()}” is not of the form key=value.")
            continue
        found[key.strip()] = _value(value.strip())
    return found


def _id(text: str, problems: list[str]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        problems.append(f"“{text}” is no execution id.")
        return None


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float | bool | str) or value is None else text


def _one_of(kind: Any, value: str, name: str, problems: list[str]) -> Any:
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        problems.append(f"There is no {name} “{value.lower()}”.")
        return None
