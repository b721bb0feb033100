"""Masked fields: what whoever lacks the right to see them gets instead, at every door that shows payloads or attributes.

A path names keys of JSON objects from the inside out: `card_number` is masked wherever it stands, `customer.iban` wherever an `iban`
stands in a `customer`. `*` stands for any text in a key; lists are seen through; letters' case does not count. Values that are JSON as
text are looked into. A payload that is no JSON is hidden whole.

In texts for people (status, log lines, messages and stacks of errors, whatever is text in a payload) two things are masked: what looks like
`card_number: 4111`, and the values themselves, which attributes, payloads and errors of the execution hold in masked fields. Values
shorter than `SHORTEST` would mask everything and are left. An execution with too much to look through has its texts hidden whole.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings

from durable_ops.models import Protection, Right
from durable_ops.permissions import Access
from execution_engine.selectors.callbacks import CallbackRow
from execution_engine.selectors.executions import ExecutionDetail, ExecutionPayloads, ExecutionSummary
from execution_engine.selectors.logs import LogRow
from execution_engine.selectors.operations import OperationDetail
from execution_engine.selectors.texts import stored_texts

MASK = "•••"
MAX_PATHS = 200
SHORTEST = 4
MOST_VALUES = 1_000
MOST_BYTES, MOST_ROWS = 4 * 1024 * 1024, 2_000
"""Of one execution whose texts are shown; of each in a list a sixteenth."""
LIST_SHARE = 16
WIRE_TEXTS = frozenset({"Payload", "InputPayload", "Result", "ErrorData"})
_NAMED = re.compile(
    r"""
    (?<![^\s"'\\:=,;{}\[\]()<>&?./])
    (?P<name>[^\s"'\\:=,;{}\[\]()<>&?./]{1,100}+)
    (?P<between>\\?["']?\s*+[:=]\s*+)
    (?:\\"(?:(?!\\").)*+\\" | "(?:[^"\\]|\\.)*+" | '(?:[^'\\]|\\.)*+' | [^\s,;}\])]++)
    """,
    re.VERBOSE | re.DOTALL,
)
"""`"card_number": "4111"`, `card_number=4111` and the like. Never goes back over a text: its time is that of its length."""

_HALF = re.compile("[\ud800-\udfff]")
PATH = re.compile(r"[^.\s\x00]{1,100}(\.[^.\s\x00]{1,100}){0,9}")


@dataclass(frozen=True)
class Masks:
    """The masked paths of one function for one reader; without any, everything is handed on as it is.

    `values` are those of one execution in these fields, the longest first; None hides every text for people.
    """

    paths: tuple[tuple[str, ...], ...] = ()
    values: tuple[str, ...] | None = ()

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
        if not self.paths or not text:
            return text
        return MASK if self.values is None else self._without_values(_NAMED.sub(self._shown, text))

    def knowing(self, texts: Iterable[str] | None) -> "Masks":
        """With the values that stand in masked fields of these JSON texts; None for texts that are too many to look through."""
        found: set[str] = set()
        for text in texts or ():
            try:
                found.update(self._hidden(json.loads(text), (), False))
            except (ValueError, RecursionError):
                continue
        is_bearable = texts is not None and len(found) <= MOST_VALUES
        return replace(self, values=tuple(sorted(found, key=lambda value: (-len(value), value))) if is_bearable else None)

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

    def lines(self, found: list[LogRow]) -> list[LogRow]:
        return [replace(one, message=self.value(one.message)) for one in found] if self.paths else found

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

    def _shown(self, found: re.Match[str]) -> str:
        name = found["name"].casefold()
        names = (name, name.rpartition("-")[2])
        is_masked = any(fnmatchcase(one, path[-1]) for one in names for path in self.paths if path[-1].strip("*?"))
        return f"{found['name']}{found['between']}{MASK}" if is_masked else found[0]

    def _without_values(self, text: str) -> str:
        for value in self.values or ():
            if value in text:
                text = text.replace(value, MASK)
        return text

    def _hidden(self, value: Any, stack: tuple[str, ...], is_masked: bool) -> Iterator[str]:
        """What stands in masked fields, as a text for people would repeat it: plain, and as JSON writes it."""
        if isinstance(value, dict):
            for key, inner in value.items():
                below = (*stack, key.casefold())
                yield from self._hidden(inner, below, is_masked or self._is_masked(below))
        elif isinstance(value, list):
            for inner in value:
                yield from self._hidden(inner, stack, is_masked)
        elif isinstance(value, str) and (inner := _opened(value)) is not None:
            yield from self._hidden(inner, stack, is_masked)
        if is_masked and isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) >= SHORTEST:
            yield from {str(value), json.dumps(str(value))[1:-1], json.dumps(str(value), ensure_ascii=False)[1:-1]}

    def _masked(self, value: Any, stack: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._of_key(inner, (*stack, key.casefold())) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._masked(inner, stack) for inner in value]
        if isinstance(value, int | float) and str(value) in (self.values or ()):
            return MASK
        return self._of_text(value, stack) if isinstance(value, str) else value

    def _of_key(self, value: Any, stack: tuple[str, ...]) -> Any:
        return MASK if self._is_masked(stack) else self._masked(value, stack)

    def _is_masked(self, stack: tuple[str, ...]) -> bool:
        return any(len(path) <= len(stack) and all(map(fnmatchcase, stack[len(stack) - len(path) :], path)) for path in self.paths)

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

    def of_execution(self, function: str, execution_id: UUID) -> Masks:
        """As `of`, and knows the values of this execution: two queries for whom something is masked there."""
        return self.of_each({execution_id: function})[execution_id]

    def of_each(self, functions: Mapping[UUID, str]) -> Mapping[UUID, Masks]:
        """As `of_execution` for several, by the functions of their ids; two queries at most."""
        masks = {execution_id: self.of(function) for execution_id, function in functions.items()}
        masked = [execution_id for execution_id, one in masks.items() if one.paths]
        share = 1 if len(functions) == 1 else LIST_SHARE
        texts = stored_texts(masked, most_bytes=MOST_BYTES // share, most_rows=MOST_ROWS // share)
        return {**masks, **{execution_id: masks[execution_id].knowing(texts.get(execution_id)) for execution_id in masked}}

    def summaries(self, found: Collection[ExecutionSummary]) -> list[ExecutionSummary]:
        """Of a list: values are looked for where the author set a text or attributes."""
        each = self.of_each({one.id: one.function for one in found if one.status_text or one.attributes})
        return [(each.get(one.id) or self.of(one.function)).summary(one) for one in found]

    def callbacks(self, found: Collection[CallbackRow]) -> list[CallbackRow]:
        each = self.of_each({one.execution_id: one.function for one in found if one.status_text or one.attributes})
        return [(each.get(one.execution_id) or self.of(one.function)).callback(one) for one in found]

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


def _opened(text: str) -> Any:
    """JSON within a text, None for any other text."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dumped(value: Any) -> str:
    """Half a surrogate pair, which no answer can carry as it is, goes back to the escape that it was stored as."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _masks(paths: Iterable[Iterable[str]]) -> Masks:
    found = {tuple(path.casefold().split(".")) for some in paths for path in some}
    return Masks(tuple(sorted(found))) if found else NO_MASKS
