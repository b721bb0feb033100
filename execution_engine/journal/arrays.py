"""PostgreSQL arrays in binary form, packed here.

psycopg's own dumper of lists looks at the type of every element. A flush has some forty arrays whose types the statement fixes anyway, and
that look was most of the Python time of a lone step. The format is that of PostgreSQL's `array_recv`: the array's header, then for each
element its length and its bytes; length -1 is null.
"""

from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg import pq
from psycopg.adapt import AdaptersMap, Dumper

_HEADER = Struct(">iiiii").pack
_EMPTY = Struct(">iii").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_BOOLS = {True: _LENGTH(1) + b"\x01", False: _LENGTH(1) + b"\x00"}


class PackedArray:
    """The bytes of one array. There is a subclass for each element type, because psycopg chooses a dumper by class."""

    __slots__ = ("data",)
    element_oid = 0
    array_oid = 0

    def __init__(self, data: bytes) -> None:
        self.data = data


class TextArray(PackedArray):
    element_oid, array_oid = 25, 1009


class BoolArray(PackedArray):
    element_oid, array_oid = 16, 1000


class Int4Array(PackedArray):
    element_oid, array_oid = 23, 1007


class Int8Array(PackedArray):
    element_oid, array_oid = 20, 1016


class Float8Array(PackedArray):
    element_oid, array_oid = 701, 1022


class UuidArray(PackedArray):
    element_oid, array_oid = 2950, 2951


def _text(value: str) -> bytes:
    data = value.encode()
    return _LENGTH(len(data)) + data


def _uuid(value: UUID) -> bytes:
    return _LENGTH(16) + value.bytes


# Where no choice is to be made these are calls into C: `partial` and a dict's lookup need no Python frame per element.
_ELEMENTS: dict[str, tuple[type[PackedArray], Callable[[Any], bytes]]] = {
    "text": (TextArray, _text),
    "bool": (BoolArray, _BOOLS.__getitem__),
    "int4": (Int4Array, partial(Struct(">ii").pack, 4)),
    "int8": (Int8Array, partial(Struct(">iq").pack, 8)),
    "float8": (Float8Array, partial(Struct(">id").pack, 8)),
    "uuid": (UuidArray, _uuid),
}


def pack(element_type: str, values: Sequence[Any]) -> PackedArray:
    """An array parameter of `text`, `bool`, `int4`, `int8`, `float8` or `uuid` elements; None is null."""
    array, element = _ELEMENTS[element_type]
    if not values:
        return array(_EMPTY(0, 0, array.element_oid))
    count = len(values)
    nulls = values.count(None)
    if nulls == count:
        body = _NULL * count
    elif nulls:
        body = b"".join([_NULL if value is None else element(value) for value in values])
    else:
        body = b"".join(map(element, values))
    return array(_HEADER(1, 1, array.element_oid, count, 1) + body)


class _PackedDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: PackedArray) -> bytes:
        return obj.data


def register_arrays(adapters: AdaptersMap) -> None:
    """Lets a connection or cursor take packed arrays."""
    for array, _ in _ELEMENTS.values():
        dumper = type(f"{array.__name__}Dumper", (_PackedDumper,), {"oid": array.array_oid})
        adapters.register_dumper(array, dumper)
