"""Small extracts of large values, to be read by people while the value itself lies elsewhere; AWS's names and rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class PreviewMode(StrEnum):
    """INCLUDE_ALL shows every field but the excluded, EXCLUDE_ALL none but the included."""

    INCLUDE_ALL = "INCLUDE_ALL"
    EXCLUDE_ALL = "EXCLUDE_ALL"


class FieldMatchMode(StrEnum):
    """ANYWHERE takes the name at any depth, PATH the exact path from the root, with dots."""

    ANYWHERE = "ANYWHERE"
    PATH = "PATH"


@dataclass(frozen=True)
class PreviewField:
    name: str
    match: FieldMatchMode = FieldMatchMode.ANYWHERE

    def matches(self, path: str) -> bool:
        return path == self.name if self.match is FieldMatchMode.PATH else self.name in path.split(".")


@dataclass(frozen=True)
class PreviewConfig:
    """Excluded fields are never shown; masked ones are shown as `mask_string`. At most `max_preview_bytes` of JSON."""

    mode: PreviewMode
    include: list[PreviewField] = field(default_factory=list)
    exclude: list[PreviewField] = field(default_factory=list)
    mask: list[PreviewField] = field(default_factory=list)
    mask_string: str = "***"
    max_preview_bytes: int = 4096


def build_preview(value: Any, config: PreviewConfig) -> dict[str, Any] | None:
    """The visible fields of a dict as nested dicts; those of list items are merged. None when nothing is visible.

    Field names that contain a dot are left out, because a dot separates the parts of a path.
    """
    found: dict[str, Any] = {}
    room = config.max_preview_bytes - 2
    for path, shown in _visible(value, "", config) if isinstance(value, dict) else ():
        room -= len(f'"{path}":{json.dumps(shown, default=str)},'.encode())
        if room < 0:
            break
        _put(found, path.split("."), shown)
    return found or None


def _visible(value: Any, prefix: str, config: PreviewConfig) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _visible(item, prefix, config)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if "." in str(key):
            continue
        path = f"{prefix}.{key}" if prefix else str(key)
        if _is_in(path, config.exclude):
            continue
        if _is_in(path, config.mask):
            yield path, config.mask_string
        elif isinstance(item, dict | list):
            yield from _visible(item, path, config)
        elif config.mode is PreviewMode.INCLUDE_ALL or _is_in(path, config.include):
            yield path, item


def _is_in(path: str, fields: list[PreviewField]) -> bool:
    return any(entry.matches(path) for entry in fields)


def _put(target: dict[str, Any], parts: list[str], value: Any) -> None:
    *outer, last = parts
    for part in outer:
        inner = target.get(part)
        if not isinstance(inner, dict):
            inner = target[part] = {}
        target = inner
    target[last] = value
