"""Masked fields: what whoever lacks the right to see them gets instead, at every door that shows payloads or attributes.

A path names keys of JSON objects from the inside out: `card_number` is masked wherever it stands, `customer.iban` wherever an `iban`
stands in a `customer`. `*` stands for any text in a key; lists are seen through; letters' case does not count. Values that are JSON as
text are looked into. A payload that is no JSON is hidden whole; in texts for people (logs, messages of errors) `card_number: 4111` and
the like are masked, as well as a pattern can.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from django.conf import settings

from durable_ops.models import Protection, Right
from durable_ops.permissions import Access
from execution_engine.selectors.callbacks import CallbackRow
from execution_engine.selectors.executions import ExecutionDetail, ExecutionPayloads, ExecutionSummary
from execution_engine.selectors.logs import LogRow
from execution_engine.selectors.operations import OperationDetail

MASK = "•••"
MAX_PATHS = 200
WIRE_TEXTS = frozenset({"Payload", "InputPayload", "Result", "ErrorData"})
_HALF = re.compile("[\ud800-\udfff]")
PATH = re.compile(r"[^.\s\x00]{1,100}(\.[^.\s\x00]{1,100}){0,9}")


@dataclass(frozen=True)
class Masks:
    """The masked paths of one function for one reader; without any, everything is handed on as it is."""

    paths: tuple[tuple[str, ...], ...] = ()

    def text(self, text: str | None) -> str | None:
        """A payload, byte for byte where nothing in it is masked."""
        if not self.paths or text is None:
            return text
        try:
            value = json.loads(text)
            masked = self.value(value)
            return text if masked == value else _dumped(masked)
        except (ValueError, RecursionError):
            return MASK

    def value(self, value: Any) -> Any:
        """A JSON value."""
        return self._masked(value, ()) if self.paths else value

    def free(self, text: str | None) -> str | None:
        """A text for people."""
        return self._named.sub(rf"\1{MASK}", text) if self.paths and text else text

    def hides(self, key: str) -> bool:
        """True for the name of an attribute that is masked."""
        return self._is_masked((key.casefold(),))

    def attributes(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.value(dict(found)) if self.paths else found

    def summary(self, found: ExecutionSummary) -> ExecutionSummary:
        if not self.paths:
            return found
        return replace(found, attributes=self.attributes(found.attributes), status_text=self.free(found.status_text) or "")

    def detail(self, found: ExecutionDetail) -> ExecutionDetail:
        return replace(found, summary=self.summary(found.summary)) if self.paths else found

    def payloads(self, found: ExecutionPayloads) -> ExecutionPayloads:
        return ExecutionPayloads(self.text(found.input), self.text(found.result), self.text(found.error)) if self.paths else found

    def callback(self, found: CallbackRow) -> CallbackRow:
        if not self.paths:
            return found
        return replace(found, attributes=self.attributes(found.attributes), status_text=self.free(found.status_text) or "")

    def lines(self, found: list[LogRow], text: str = "") -> list[LogRow]:
        """Of lines that were looked for by `text`, those that hold it where it may be read: else who may not see a value could guess it."""
        if not self.paths:
            return found
        shown = [replace(one, message=self.value(one.message)) for one in found]
        return [one for one in shown if text.casefold() in one.message.casefold()]

    def operation(self, found: OperationDetail) -> OperationDetail:
        if not self.paths:
            return found
        return replace(found, payload=self.text(found.payload), error=self.text(found.error), options=self.text(found.options))

    def event(self, found: Any) -> Any:
        """An event, or what else holds payloads as texts under `Payload`, in the wire's shape."""
        if not self.paths:
            return found
        if isinstance(found, dict):
            return {
                key: self.text(inner) if key in WIRE_TEXTS and isinstance(inner, str) else self.event(inner) for key, inner in found.items()
            }
        if isinstance(found, list):
            return [self.event(inner) for inner in found]
        return self.value(found)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        """`"card_number": "4111"`, `card_number=4111` and the like."""
        names = "|".join({re.escape(path[-1]).replace(r"\*", r"[\w-]*").replace(r"\?", r"[\w-]") for path in self.paths})
        return re.compile(rf"""(\b(?:{names})\b\\?["']?\s*[:=]\s*)(?:\\?"[^"]*"|'[^']*'|[^\s,;}}\])]+)""", re.IGNORECASE)

    def _masked(self, value: Any, stack: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._of_key(inner, (*stack, key.casefold())) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._masked(inner, stack) for inner in value]
        return self._of_text(value, stack) if isinstance(value, str) else value

    def _of_key(self, value: Any, stack: tuple[str, ...]) -> Any:
        return MASK if self._is_masked(stack) else self._masked(value, stack)

    def _is_masked(self, stack: tuple[str, ...]) -> bool:
        return any(
            len(path) <= len(stack) and all(map(fnmatchcase, stack[len(stack) - len(path) :], path)) for path in self.paths
        )

    def _of_text(self, text: str, stack: tuple[str, ...]) -> str:
        if text.lstrip()[:1] in ("{", "[", '"'):
            try:
                value = json.loads(text)
                masked = self._masked(value, stack)
                return text if masked == value else _dumped(masked)
            except RecursionError:
                return MASK
            except ValueError:  # no JSON after all
                return self.free(text) or ""
        return self.free(text) or ""


NO_MASKS = Masks()


class Masking:
    """What one reader sees of every function. One query, for whom something may be hidden from, when it is first asked."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def of(self, function: str) -> Masks:
        if self._access.may(Right.VIEW_MASKED, function):
            return NO_MASKS
        return _masks(paths for pattern, paths in self._rules if fnmatchcase(function, pattern))

    def hides_attribute(self, key: str) -> bool:
        """True when the attribute is masked for some function whose masked fields this reader may not see: not to be searched for."""
        if self._access.has_all(Right.VIEW_MASKED):
            return False
        return _masks(paths for _, paths in self._rules).hides(key)

    @property
    def hides_something(self) -> bool:
        """True when some field of some function is masked for this reader."""
        return not self._access.has_all(Right.VIEW_MASKED) and bool(self._rules)

    @property
    def tag(self) -> str:
        """Changes with all that decides what this reader sees; empty for who sees everything."""
        if self._access.has_all(Right.VIEW_MASKED):
            return ""
        scope = self._access.scopes.get(Right.VIEW_MASKED)
        seen = sorted(sorted(patterns) for patterns in scope.sets) if scope else None
        return hashlib.sha256(repr((sorted(self._rules), seen)).encode()).hexdigest()[:16]

    @cached_property
    def _rules(self) -> list[tuple[str, list[str]]]:
        rows = list(Protection.objects.exclude(masked=[]).values_list("pattern", "masked"))
        return [*rows, *((pattern, list(paths)) for pattern, paths in getattr(settings, "DURABLE_MASKED_FIELDS", {}).items())]


def masking_of(access: Access) -> Masking:
    """Kept with the access, which lives as long as its request."""
    if access.masking is None:
        access.masking = Masking(access)
    found: Masking = access.masking
    return found


def _dumped(value: Any) -> str:
    """Half a surrogate pair, which no answer can carry as it is, goes back to the escape that it was stored as."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _masks(paths: Iterable[Iterable[str]]) -> Masks:
    found = {tuple(path.casefold().split(".")) for some in paths for path in some}
    return Masks(tuple(sorted(found))) if found else NO_MASKS
