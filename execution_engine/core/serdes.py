"""Payloads to text and back.

The default format is AWS's: plain compact JSON for None, texts, numbers, booleans and lists of these; everything else in
tagged envelopes `{"t": tag, "v": value}`, so that bytes, UUIDs, decimals, times, tuples and dicts come back as they were.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
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
        if kind is dict:
            return _dumps(_encode(value))
        if SerDes.is_primitive(value):
            return _dumps(value)
        return _dumps(_encode(value))

    def deserialize(self, data: str, serdes_context: SerDesContext | None = None) -> Any:  # noqa: ARG002
        value = _loads(data)
        return _decode(value) if type(value) is dict else value


def _encode(value: Any) -> dict[str, Any]:
    encoder = _ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value)
    for kind, general in _ENCODERS.items():
        if isinstance(value, kind):
            return general(value)
    raise SerDesError(f"Unsupported type: {type(value)}")


def _encode_dict(value: dict[Any, Any]) -> dict[str, Any]:
    if any(isinstance(key, tuple) for key in value):
        raise SerDesError("Tuple keys not supported")
    return {"t": "m", "v": {key: _encode(item) for key, item in value.items()}}


# Order matters for subclasses: bool before int, datetime before date.
_ENCODERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    str: lambda value: {"t": "s", "v": value},
    bool: lambda value: {"t": "b", "v": value},
    int: lambda value: {"t": "i", "v": value},
    float: lambda value: {"t": "f", "v": value},
    type(None): lambda value: {"t": "n", "v": value},
    dict: _encode_dict,
    list: lambda value: {"t": "l", "v": [_encode(item) for item in value]},
    tuple: lambda value: {"t": "t", "v": [_encode(item) for item in value]},
    UUID: lambda value: {"t": "u", "v": str(value)},
    Decimal: lambda value: {"t": "d", "v": str(value)},
    datetime: lambda value: {"t": "dt", "v": value.isoformat()},
    date: lambda value: {"t": "D", "v": value.isoformat()},
    bytes: lambda value: {"t": "B", "v": base64.b64encode(value).decode()},
    bytearray: lambda value: {"t": "B", "v": base64.b64encode(value).decode()},
    memoryview: lambda value: {"t": "B", "v": base64.b64encode(value).decode()},
}


def _decode(envelope: Any) -> Any:
    if type(envelope) is not dict or "t" not in envelope or "v" not in envelope:
        raise SerDesError('Malformed envelope: missing "t" or "v"')
    decoder = _DECODERS.get(envelope["t"])
    if decoder is None:
        raise SerDesError(f'Unknown type tag: "{envelope["t"]}"')
    return decoder(envelope["v"])


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
EXTENDED_TYPES_SERDES: SerDes[Any] = ExtendedTypeSerDes()
PASS_THROUGH_SERDES: SerDes[Any] = PassThroughSerDes()
