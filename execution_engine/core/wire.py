"""The one table between our records and AWS's shapes (Lambda API version 2025-12-01), read in both directions.

A wire value here is a dictionary with AWS's keys, absent where there is nothing, and moments as `datetime`: who sends it writes them
as its transport does (`seconds` over HTTP, `milliseconds` in an invocation's envelope). Event objects come from `core.history`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from execution_engine.core.enums import OperationAction, OperationStatus, OperationType
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.records import ErrorObject, OperationOptions, OperationRecord, OperationUpdate

YEAR_SECONDS = 31_622_400
CALLBACK_SECONDS = 99_999_999
TOKEN = re.compile(r"[A-Za-z0-9_-]+")
PRINTABLE = re.compile(r"[\x20-\x7E]+")
VISIBLE = re.compile(r"[\x21-\x7E]+")
TENANT = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a shape. `low` and `high` bound a number's value or a text's length, `pattern` a whole text."""

    key: str
    attribute: str
    kind: type
    is_required: bool = False
    low: int = 0
    high: int | None = None
    pattern: re.Pattern[str] | None = None

    def read(self, wire: Mapping[str, Any], place: str, *, is_bounded: bool) -> Any:
        """The member's value, None when it is absent or null. Raises InvalidInputError naming its place."""
        value = wire.get(self.key)
        if value is None:
            if self.is_required:
                raise refused(place, self.key, "is required")
            return None
        place = f"{place}.{self.key}" if place else self.key
        if self.kind is ErrorObject:
            return read_error(value, place)
        if issubclass(self.kind, StrEnum):
            return _member(self.kind, value, place)
        if not isinstance(value, self.kind) or (self.kind is int and isinstance(value, bool)):
            raise refused("", place, f"must be {_NAMES[self.kind]}", value=value)
        if is_bounded:
            self._check(value, place)
        return value

    def _check(self, value: Any, place: str) -> None:
        if self.kind is bool:
            return
        size, what = (len(value), "characters") if isinstance(value, str) else (value, "")
        if size < self.low or (self.high is not None and size > self.high):
            raise refused("", place, f"must have a value from {self.low} to {self.high} {what}".rstrip(), value=value, limit=self.high)
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise refused("", place, f"must satisfy the pattern {self.pattern.pattern}", value=value)


_NAMES = {str: "a text", int: "a whole number", bool: "true or false"}

ERROR = (Field("ErrorMessage", "message", str), Field("ErrorType", "type", str), Field("ErrorData", "data", str))
UPDATE = (
    Field("Id", "id", str, is_required=True, low=1, high=64, pattern=TOKEN),
    Field("Type", "type", OperationType, is_required=True),
    Field("Action", "action", OperationAction, is_required=True),
    Field("SubType", "sub_type", str, low=1, high=32, pattern=TOKEN),
    Field("Name", "name", str, low=1, high=256, pattern=PRINTABLE),
    Field("ParentId", "parent_id", str, low=1, high=64, pattern=TOKEN),
    Field("Payload", "payload", str),
    Field("Error", "error", ErrorObject),
)
OPTIONS: Mapping[OperationType, tuple[str, tuple[Field, ...]]] = {
    OperationType.CONTEXT: ("ContextOptions", (Field("ReplayChildren", "replay_children", bool),)),
    OperationType.STEP: ("StepOptions", (Field("NextAttemptDelaySeconds", "delay", int, low=1, high=YEAR_SECONDS),)),
    OperationType.WAIT: ("WaitOptions", (Field("WaitSeconds", "duration", int, low=1, high=YEAR_SECONDS),)),
    OperationType.CALLBACK: (
        "CallbackOptions",
        (
            Field("TimeoutSeconds", "timeout", int, high=CALLBACK_SECONDS),
            Field("HeartbeatTimeoutSeconds", "heartbeat", int, high=CALLBACK_SECONDS),
        ),
    ),
    OperationType.CHAINED_INVOKE: (
        "ChainedInvokeOptions",
        (
            Field("FunctionName", "function", str, is_required=True, low=1, high=256),
            Field("TenantId", "tenant", str, low=1, high=256, pattern=TENANT),
            Field("XAmznTraceId", "trace", str, high=8192),
        ),
    ),
}

Getter = Callable[[OperationRecord], Any]


def _next_attempt(record: OperationRecord) -> datetime | None:
    return record.due_at if record.status is OperationStatus.PENDING else None


def _end_of_wait(record: OperationRecord) -> datetime | None:
    if record.due_at is None and record.started_at is not None:
        return record.started_at + timedelta(seconds=record.options.duration)
    return record.due_at


_OUTCOME: tuple[tuple[str, Getter], ...] = (("Result", attrgetter("payload")), ("Error", attrgetter("error")))
OPERATION: tuple[tuple[str, Getter], ...] = (
    ("Id", attrgetter("id")),
    ("ParentId", attrgetter("parent_id")),
    ("Name", attrgetter("name")),
    ("Type", attrgetter("type")),
    ("SubType", attrgetter("sub_type")),
    ("StartTimestamp", attrgetter("started_at")),
    ("EndTimestamp", attrgetter("ended_at")),
    ("Status", attrgetter("status")),
)
DETAILS: Mapping[OperationType, tuple[str, tuple[tuple[str, Getter], ...]]] = {
    OperationType.EXECUTION: ("ExecutionDetails", (("InputPayload", attrgetter("payload")),)),
    OperationType.CONTEXT: ("ContextDetails", (("ReplayChildren", attrgetter("replay_children")), *_OUTCOME)),
    OperationType.STEP: ("StepDetails", (("Attempt", attrgetter("attempt")), ("NextAttemptTimestamp", _next_attempt), *_OUTCOME)),
    OperationType.WAIT: ("WaitDetails", (("ScheduledEndTimestamp", _end_of_wait),)),
    OperationType.CALLBACK: ("CallbackDetails", (("CallbackId", attrgetter("callback_id")), *_OUTCOME)),
    OperationType.CHAINED_INVOKE: ("ChainedInvokeDetails", _OUTCOME),
}
_OPTION_FIELDS = frozenset(field.name for field in fields(OperationOptions))


def operation(record: OperationRecord) -> dict[str, Any]:
    """AWS's Operation. The execution itself is one as well: `execution_operation` makes its record."""
    key, details = DETAILS[record.type]
    return {**_written(OPERATION, record), key: _written(details, record)}


def execution_operation(execution_id: str, started_at: datetime, input_text: str | None) -> OperationRecord:
    """The first operation of every state: the execution, with its input."""
    return OperationRecord(execution_id, OperationType.EXECUTION, OperationStatus.STARTED, payload=input_text, started_at=started_at)


def update(wire: Any, place: str = "", *, is_bounded: bool = True) -> OperationUpdate:
    """AWS's OperationUpdate; unknown members and options of another type are passed over, as AWS does.

    Checks types, required members, patterns and ranges; sizes of payloads and errors are the service's. `is_bounded=False` reads what
    AWS's own SDK made in this process. Raises InvalidInputError naming the member.
    """
    values = read(UPDATE, _structure(wire, place), place, is_bounded=is_bounded)
    found = OPTIONS.get(values["type"])
    if found is None or (given := wire.get(found[0])) is None:
        return OperationUpdate(**values)
    inner = f"{place}.{found[0]}" if place else found[0]
    asked = read(found[1], _structure(given, inner), inner, is_bounded=is_bounded)
    chosen = {name: value for name, value in asked.items() if value is not None}
    options = {name: value for name, value in chosen.items() if name in _OPTION_FIELDS}
    others = {name: value for name, value in chosen.items() if name not in _OPTION_FIELDS}
    return OperationUpdate(**values, **others, options=OperationOptions(**options))


def updates(wire: Any) -> tuple[OperationUpdate, ...]:
    """The `Updates` of a checkpoint call. Raises InvalidInputError."""
    if wire is None:
        return ()
    if not isinstance(wire, list):
        raise refused("", "Updates", "must be a list", value=wire)
    return tuple(update(one, f"Updates[{number}]") for number, one in enumerate(wire))


def read_error(wire: Any, place: str = "Error") -> ErrorObject:
    """AWS's ErrorObject. Raises InvalidInputError for members of another type."""
    values = read(ERROR, _structure(wire, place), place, is_bounded=True)
    trace = wire.get("StackTrace")
    if trace is not None and not (isinstance(trace, list) and all(isinstance(line, str) for line in trace)):
        raise refused(place, "StackTrace", "must be a list of texts", value=trace)
    return ErrorObject(**values, stack_trace=None if trace is None else tuple(trace))


def seconds(value: Any) -> Any:
    """A wire value as HTTP answers carry it (restJson1): moments as epoch seconds, to the millisecond."""
    return _moments(value, lambda moment: round(moment.timestamp(), 3))


def milliseconds(value: Any) -> Any:
    """A wire value as an invocation's envelope carries it: moments as whole epoch milliseconds."""
    return _moments(value, lambda moment: int(moment.timestamp() * 1000))


def refused(place: str, key: str, problem: str, *, value: Any = None, limit: int | None = None) -> InvalidInputError:
    """The refusal of one member: its place, what is wrong, the limit and the value."""
    where = f"{place}.{key}" if place else key
    facts: dict[str, Any] = {"field": where}
    if limit is not None:
        facts["limit"] = limit
    if value is not None:
        facts["value"] = str(value)[:100]
    return InvalidInputError(f"{where} {problem}", **facts)


def _written(table: Sequence[tuple[str, Getter]], record: OperationRecord) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, get in table:
        value = get(record)
        if value is not None:
            found[key] = value.to_wire() if isinstance(value, ErrorObject) else value
    return found


def read(table: Sequence[Field], wire: Mapping[str, Any], place: str = "", *, is_bounded: bool = True) -> dict[str, Any]:
    """The members of a structure by our names, None for absent ones. Raises InvalidInputError."""
    return {field.attribute: field.read(wire, place, is_bounded=is_bounded) for field in table}


def _structure(wire: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(wire, Mapping):
        raise refused("", place or "the value", "must be an object", value=wire)
    return wire


def _member(kind: type[StrEnum], value: Any, place: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise refused("", place, f"must be one of {', '.join(kind)}", value=value) from None


def _moments(value: Any, write: Callable[[datetime], float]) -> Any:
    if isinstance(value, datetime):
        return write(value)
    if isinstance(value, Mapping):
        return {key: _moments(inner, write) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_moments(inner, write) for inner in value]
    return value
