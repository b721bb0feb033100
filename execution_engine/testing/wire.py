"""A history as AWS's testing library answers it: Event objects that are read by attribute, and still are dictionaries."""

from collections.abc import Iterable, Mapping
from typing import Any


class WireObject(dict[str, Any]):
    """A dictionary with the wire's keys, whose values are attributes too: `event.event_type` is `event["EventType"]`.

    An absent key reads as None, as an optional field of AWS's classes does.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return wired(self.get("".join(part.capitalize() for part in name.split("_"))))

    def to_dict(self) -> dict[str, Any]:
        return dict(self)


class ExecutionHistory(list[WireObject]):
    """A list of events, oldest first, with the fields of AWS's GetDurableExecutionHistoryResponse."""

    next_marker: str | None = None

    @property
    def events(self) -> list[WireObject]:
        return list(self)

    def to_dict(self) -> dict[str, Any]:
        return {"Events": [event.to_dict() for event in self]}


def history_of(events: Iterable[Mapping[str, Any]], *, include_execution_data: bool) -> ExecutionHistory:
    """Without data, payloads and errors are left out as AWS does: `Truncated` tells that there was one."""
    return ExecutionHistory(WireObject(event if include_execution_data else _without_data(event)) for event in events)


def wired(value: Any) -> Any:
    if isinstance(value, dict) and not isinstance(value, WireObject):
        return WireObject(value)
    return [wired(inner) for inner in value] if isinstance(value, list) else value


def _without_data(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "Truncated" in value:
            return {"Truncated": "Payload" in value}
        return {key: _without_data(inner) for key, inner in value.items()}
    return value
