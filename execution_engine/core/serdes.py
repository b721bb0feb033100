"""Payloads to text and back.

The default format is AWS's: plain compact JSON for None, texts, numbers, booleans and lists of these; everything else in
tagged envelopes `{"t": tag, "v": value}`, so that bytes, UUIDs, decimals, times, tuples and dicts come back as they were.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, Generic, TypeVar
from uuid import UUID

from execution_engine.core.errors import DurableExecutionsError

T = TypeVar("T")

_dumps = json.JSONEncoder(separators=(",", ":")).encode
_loads = json.JSONDecoder().decode


class SerDesError(DurableExecutionsError):
    """A value could not be written as text, or a text not read back. Final: the operation fails without a retry.

    `message`, `error_type`, `data` and `stack_trace` are as in `DurableOperationError`.
    """

    def __init__(
        self,
        message: str | None = None,
        error_type: str | None = None,
        data: str | None = None,
        stack_trace: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type or f"{type(self).__module__}.{type(self).__qualname__}"
        self.data = data
        self.stack_trace = stack_trace


@dataclass(frozen=True, slots=True)
class SerDesContext:
    """Which operation's payload is being written or read."""

    operation_id: str = ""
    durable_execution_arn: str = ""


class SerDes(ABC, Generic[T]):
    """Writes values as text and reads them back. What `serialize` returns is recorded exactly as it is."""

    @abstractmethod
    def serialize(self, value: T, serdes_context: SerDesContext) -> str: ...

    @abstractmethod
    def deserialize(self, data: str, serdes_context: SerDesContext) -> T: ...

    @staticmethod
    def is_primitive(value: Any) -> bool:
        """Whether plain JSON brings the value back as it is: None, str, int, float, bool and lists of these."""
        if value is None or isinstance(value, str | int | float):
            return True
        return isinstance(value, list) and all(SerDes.is_primitive(item) for item in value)


class PassThroughSerDes(SerDes[Any]):
    """The value is the text already."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> Any:  # noqa: ARG002
        return value

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:  # noqa: ARG002
        return data


class JsonSerDes(SerDes[Any]):
    """Plain JSON as `json.dumps` writes it; what JSON does not know (dates, tuples, ...) is refused or changed."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:  # noqa: ARG002
        return json.dumps(value)

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:  # noqa: ARG002
        return json.loads(data)


class ExtendedTypeSerDes(SerDes[Any]):
    """The default; see the module's docstring for the format."""

    def serialize(self, value: Any, serdes_context: SerDesContext | None = None) -> str:  # noqa: ARG002
        kind = type(value)
        if kind is str:
            return encode_basestring_ascii(value)
        if kind is int:
            return int.__repr__(value)
        if kind is not dict and SerDes.is_primitive(value):
            return _dumps(value)
        return _envelope(value)

    def deserialize(self, data: str, serdes_context: SerDesContext | None = None) -> Any:  # noqa: ARG002
        """Reads a JSON object that is no envelope as it is: only people who replace a value write one, and they mean what it says."""
        value = _loads(data)
        return _decode(value) if type(value) is dict and "t" in value and "v" in value else value

    def read_back(self, value: Any, text: str) -> Any:
        """What `deserialize(text)` gives for the value that `text` was written from, without reading where a copy does."""
        try:
            return _copy(value)
        except _NoPlainCopyError:
            return self.deserialize(text)


class _NoPlainCopyError(Exception):
    """The value holds something that does not come back exactly as it is."""


_SAME = frozenset({str, int, float, bool, type(None), bytes, UUID, Decimal, date})


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in _SAME:
        return value
    if kind is dict:
        if all(type(key) is str for key in value):
            return {key: item if type(item) in _SAME else _copy(item) for key, item in value.items()}
    elif kind is list:
        return [_copy(item) for item in value]
    elif kind is tuple:
        return tuple([_copy(item) for item in value])
    elif (copier := _COPIERS.get(kind)) is not None:
        return copier(value, _copy)
    raise _NoPlainCopyError


def _envelope(value: Any) -> str:
    """Written as text at once: building the envelopes as objects first costs three times as much."""
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    for kind, general in _WRITERS.items():
        if isinstance(value, kind):
            return general(value)
    way_out = "only bodies of steps and checks may be async" if isinstance(value, Coroutine) else "give a serdes, or return its parts"
    raise SerDesError(f"Unsupported type: {type(value)}; {way_out}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return encode_basestring_ascii(key)
    if isinstance(key, tuple):
        raise SerDesError("Tuple keys not supported")
    if key is None or isinstance(key, int | float):
        return f'"{_dumps(key)}"'
    raise SerDesError(f"Unsupported type of a dict key: {type(key)}")


_DICT_START = '{"t":"m","v":'


def _write_dict(value: dict[Any, Any]) -> str:
    parts = []
    for key, item in value.items():
        kind = type(item)
        name = encode_basestring_ascii(key) if type(key) is str else _key(key)
        if kind is str:
            parts.append(f'{name}:{{"t":"s","v":{encode_basestring_ascii(item)}}}')
        else:
            parts.append(f"{name}:{_envelope(item)}")
    return f"{_DICT_START}{{{','.join(parts)}}}}}"


def _write_float(value: float) -> str:
    return f'{{"t":"f","v":{float.__repr__(value) if isfinite(value) else _dumps(value)}}}'


def _write_bytes(value: Any) -> str:
    return f'{{"t":"B","v":"{base64.b64encode(value).decode()}"}}'


def _write_items(tag: str) -> Callable[[Any], str]:
    return lambda value: f'{{"t":"{tag}","v":[' + ",".join([_envelope(item) for item in value]) + "]}"


# Order matters for subclasses: bool before int, datetime before date.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: lambda value: f'{{"t":"s","v":{encode_basestring_ascii(value)}}}',
    bool: lambda value: '{"t":"b","v":true}' if value else '{"t":"b","v":false}',
    int: lambda value: f'{{"t":"i","v":{int.__repr__(value)}}}',
    float: _write_float,
    type(None): lambda _: '{"t":"n","v":null}',
    dict: _write_dict,
    list: _write_items("l"),
    tuple: _write_items("t"),
    UUID: lambda value: f'{{"t":"u","v":"{value}"}}',
    Decimal: lambda value: f'{{"t":"d","v":"{value}"}}',
    datetime: lambda value: f'{{"t":"dt","v":"{value.isoformat()}"}}',
    date: lambda value: f'{{"t":"D","v":"{value.isoformat()}"}}',
    bytes: _write_bytes,
    bytearray: _write_bytes,
    memoryview: _write_bytes,
}


_COPIERS: dict[type, Callable[[Any, Callable[[Any], Any]], Any]] = {}


def register_type(
    kind: type,
    tag: str,
    write: Callable[[Any], Any],
    read: Callable[[Any], Any],
    copy: Callable[[Any, Callable[[Any], Any]], Any] | None = None,
) -> None:
    """Lets the default format carry a class: `write` gives a dict, from which `read` makes the value again. `copy(value, inner)`
    gives the same value without writing and reading, its plain parts copied by `inner`."""
    if copy is not None:
        _COPIERS[kind] = copy
    _WRITERS[kind] = lambda value: f'{{"t":"{tag}","v":{_envelope(write(value))[len(_DICT_START) : -1]}}}'
    _DECODERS[tag] = lambda value: read(_DECODERS["m"](value))


def _decode(envelope: Any) -> Any:
    if type(envelope) is not dict or "t" not in envelope or "v" not in envelope:
        raise SerDesError('Malformed envelope: missing "t" or "v"')
    decoder = _DECODERS.get(envelope["t"])
    if decoder is None:
        raise SerDesError(f'Unknown type tag: "{envelope["t"]}"')
    return decoder(envelope["v"])


def without_tags(value: Any) -> Any:
    """The JSON that people read in place of a stored value in the default format: its envelopes opened, what JSON does not know as text.

    Whatever is not tagged throughout is returned as it is.
    """
    try:
        return _opened(value)
    except _NoEnvelopeError:
        return value


class _NoEnvelopeError(Exception):
    """A part of the value carries no tag."""


def _opened(value: Any) -> Any:
    if type(value) is not dict:
        return value
    if value.keys() != {"t", "v"} or value["t"] not in _DECODERS:
        raise _NoEnvelopeError
    inner = value["v"]
    if type(inner) is dict:
        return {key: _opened(item) for key, item in inner.items()}
    return [_opened(item) for item in inner] if type(inner) is list else inner


def _same(value: Any) -> Any:
    return value


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "n": _same,
    "s": _same,
    "i": _same,
    "f": _same,
    "b": _same,
    "B": base64.b64decode,
    "u": UUID,
    "d": Decimal,
    "dt": datetime.fromisoformat,
    "D": date.fromisoformat,
    "t": lambda value: tuple(_decode(item) for item in value),
    "l": lambda value: [_decode(item) for item in value],
    "m": lambda value: {key: _decode(item) for key, item in value.items()},
}

DEFAULT_JSON_SERDES: SerDes[Any] = JsonSerDes()
EXTENDED_TYPES_SERDES = ExtendedTypeSerDes()
PASS_THROUGH_SERDES: SerDes[Any] = PassThroughSerDes()
