"""Searches of executions as people and programs write them: the same words in the console's address, REST, saved views and batches."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime

from durable_ops.models import Right
from durable_ops.permissions import Access
from durable_ops.selectors.masking import MASK, masking_of
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.trace import Trace, is_trace_id, read_traceparent
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters

T = TypeVar("T")

KEYS = {
    "status": "AWS's status, as FAILED",
    "state": "what it is really doing, as waiting_for_callback",
    "function": "name of the function",
    "version": "version of the function",
    "name": "the whole name",
    "q": "beginning of the name, or of the id (8 hexadecimal digits or more)",
    "attribute": "attributes set by the author, key=value, several by comma",
    "parent": "id of the execution that started it",
    "started_from": "started then or later: ISO 8601 (UTC when it names no zone), or an age as 24h or 7d",
    "started_to": "started before: as started_from",
    "ended_from": "ended then or later: as started_from",
    "ended_to": "ended before: as started_from",
    "longer": "lasted (or has lasted) at least: 90, 1.5s, 10min, 2h, 3d",
    "shorter": "lasted less than: as longer",
    "error": "part of the error's type or message",
    "callback": "1: somebody could answer a callback now",
    "approval": "1: an approval waits for people",
    "origin": "redriven or forked",
    "correlation": "X-Correlation-Id of the call that started it, or its parent",
    "trace": "trace id of that call, 32 hexadecimal digits, or its whole traceparent",
}
ORIGINS = ("redriven", "forked")
LONGEST = 500
_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|min|m|h|d|w|)")
_LONGEST_DURATION = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Problem:
    """A part that was not understood: its key and a sentence for people."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for, and the parts that were not understood and narrow nothing."""

    filters: ExecutionFilters
    problems: tuple[Problem, ...]

    @property
    def is_narrow(self) -> bool:
        return replace(self.filters, functions=None) != ExecutionFilters()


def read_search(query: Mapping[str, Any], access: Access, now: datetime | None = None) -> Search:
    """Reads the keys of `KEYS`, each a text; others are left alone. Ages are counted from `now` (UTC, the present by default).

    Finds what `access` may see; who looks for words of errors must be allowed to read them.
    """
    reader = _Reader(query, now or datetime.now(UTC))
    filters = ExecutionFilters(
        status=reader.one("status", lambda text: ExecutionStatus(text.upper()).value, "There is no status “{}”."),
        state=reader.one("state", lambda text: StateCode(text.lower()), "There is no state “{}”."),
        function=reader.text("function") or None,
        version=reader.text("version") or None,
        name=reader.text("name") or None,
        text=reader.text("q"),
        attributes=reader.attributes(access),
        parent_id=reader.one("parent", UUID, "“{}” is no execution id."),
        started_from=reader.moment("started_from"),
        started_to=reader.moment("started_to"),
        ended_from=reader.moment("ended_from"),
        ended_to=reader.moment("ended_to"),
        longer_than=reader.one("longer", read_duration, "“{}” is no duration: write 90, 10min, 2h or 3d."),
        shorter_than=reader.one("shorter", read_duration, "“{}” is no duration: write 90, 10min, 2h or 3d."),
        error=reader.text("error"),
        error_is_type=bool(reader.text("error")) and masking_of(access).hides_something,  # else who may not see a value could guess it
        has_callback=reader.one("callback", _flag, "callback is 1 or absent, not “{}”.") or False,
        has_approval=reader.one("approval", _flag, "approval is 1 or absent, not “{}”.") or False,
        is_redriven=reader.origin() == "redriven",
        is_forked=reader.origin() == "forked",
        correlation_id=reader.text("correlation") or None,
        functions=reader.functions(access),
        trace_id=reader.one("trace", _trace_id, "“{}” is neither a trace id of 32 hexadecimal digits nor a traceparent."),
    )
    return Search(filters, tuple(reader.problems))


def read_duration(text: str) -> timedelta:
    """Raises ValueError."""
    match = _AMOUNT.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(text)
    found = timedelta(seconds=float(match.group(1)) * _UNITS[match.group(2)])
    if found > _LONGEST_DURATION:
        raise ValueError(text)
    return found


def read_attributes(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`customer=42, region=eu` as {"customer": 42, "region": "eu"}, and sentences about what is not of that form.

    A value that reads as JSON is that value.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    for part in text.replace("\x00", "").replace("\n", ",").split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if equals and key.strip():
            found[key.strip()] = _value(value.strip())
        else:
            problems.append(f"Attribute “{part.strip()}” is not of the form key=value.")
    return found, tuple(problems)


def told(query: Mapping[str, str], access: Access | None = None) -> dict[str, str]:
    """A search as somebody else may read it, anybody by default: without the values of attributes that are masked for them."""
    masking = masking_of(access or Access({}))
    parts = [part.partition("=") for part in query.get("attribute", "").replace("\n", ",").split(",")]
    if not any(masking.hides_attribute(key.strip()) for key, _, _ in parts):
        return dict(query)
    shown = (f"{key}={MASK if masking.hides_attribute(key.strip()) else value}" for key, _, value in parts)
    return {**query, "attribute": ",".join(shown)}


def told_address(query: str, access: Access | None = None) -> str:
    """As `told`, of the query string of an address."""
    asked = dict(parse_qsl(query))
    shown = told(asked, access)
    return query if shown == asked else urlencode(shown)


class _Reader:
    def __init__(self, query: Mapping[str, Any], now: datetime) -> None:
        self._query = query
        self._now = now
        self.problems: list[Problem] = []

    def text(self, key: str) -> str:
        text = str(self._query.get(key) or "").replace("\x00", "").strip()
        if len(text) > LONGEST:
            self.problems.append(Problem(key, f"{key} takes at most {LONGEST} characters, not {len(text)}."))
            return ""
        return text

    def one(self, key: str, convert: Callable[[str], T], sentence: str) -> T | None:
        text = self.text(key)
        if not text:
            return None
        try:
            return convert(text)
        except (ValueError, OverflowError):
            self.problems.append(Problem(key, sentence.format(text.lower() if key in ("status", "state") else text)))
            return None

    def moment(self, key: str) -> datetime | None:
        return self.one(key, self._moment, "“{}” is no time: write 2026-11-21, 2026-11-21T08:30 or an age as 24h.")

    def _moment(self, text: str) -> datetime:
        try:
            return self._now - read_duration(text) if not text.isdigit() else _refuse(text)
        except ValueError:
            found = parse_datetime(text)
        if found is None:
            day = parse_date(text) or _refuse(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)

    def functions(self, access: Access) -> frozenset[str] | None:
        if self.text("error") and not access.may(Right.VIEW_PAYLOAD):
            self.problems.append(Problem("error", f"To look for words of errors you need the right {Right.VIEW_PAYLOAD.value!r}."))
        rights = [Right.VIEW_EXECUTION, *([Right.VIEW_PAYLOAD] if self.text("error") else [])]
        limits = [found for found in map(access.functions_for, rights) if found is not None]
        return frozenset.intersection(*limits) if limits else None

    def attributes(self, access: Access) -> dict[str, Any]:
        found, problems = read_attributes(self.text("attribute"))
        self.problems += [Problem("attribute", problem) for problem in problems]
        masking = masking_of(access)
        hidden = [key for key in found if masking.hides_attribute(key)]
        self.problems += [Problem("attribute", f"The attribute “{key}” is masked: you may not look for it.") for key in hidden]
        return {key: value for key, value in found.items() if key not in hidden}

    def origin(self) -> str | None:
        text = self.text("origin").lower()
        if text and text not in ORIGINS and not any(problem.key == "origin" for problem in self.problems):
            self.problems.append(Problem("origin", f"origin is {' or '.join(ORIGINS)}, not “{text}”."))
        return text or None


def _refuse(text: str) -> Any:
    raise ValueError(text)


def _trace_id(text: str) -> str:
    found = text.lower() if is_trace_id(text.lower()) else Trace(read_traceparent(text)).trace_id
    return found or str(_refuse(text))


def _flag(text: str) -> bool:
    found = _FLAGS.get(text.lower())
    return _refuse(text) if found is None else found


_FLAGS = {"1": True, "true": True, "0": False, "false": False}


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float | bool | str) or value is None else text
