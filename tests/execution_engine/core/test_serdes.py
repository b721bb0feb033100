"""The default format is AWS's, and everything it takes comes back as it was."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.core.serdes import (
    ExtendedTypeSerDes,
    JsonSerDes,
    PassThroughSerDes,
    SerDes,
    SerDesContext,
    SerDesError,
    without_tags,
)

SERDES = ExtendedTypeSerDes()
CONTEXT = SerDesContext("op", "arn")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (-0.5, "-0.5"),
        ("grüße", '"gr\\u00fc\\u00dfe"'),
        ([1, ["a", None]], '[1,["a",null]]'),
        ({"a": 1}, '{"t":"m","v":{"a":{"t":"i","v":1}}}'),
        ((1, "x"), '{"t":"t","v":[{"t":"i","v":1},{"t":"s","v":"x"}]}'),
        ([{"a": True}], '{"t":"l","v":[{"t":"m","v":{"a":{"t":"b","v":true}}}]}'),
        (b"\x00\x01", '{"t":"B","v":"AAE="}'),
        (UUID(int=1), '{"t":"u","v":"00000000-0000-0000-0000-000000000001"}'),
        (Decimal("1.10"), '{"t":"d","v":"1.10"}'),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), '{"t":"dt","v":"2026-01-02T03:00:00+00:00"}'),
        (date(2026, 1, 2), '{"t":"D","v":"2026-01-02"}'),
        ({"n": None, "f": 1.5}, '{"t":"m","v":{"n":{"t":"n","v":null},"f":{"t":"f","v":1.5}}}'),
    ],
)
def test_each_type_has_aws_text_and_comes_back(value: object, text: str) -> None:
    assert SERDES.serialize(value, CONTEXT) == text
    back = SERDES.deserialize(text, CONTEXT)
    assert back == value
    assert type(back) is type(value)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


def test_enums_of_texts_and_numbers_come_back_as_their_values() -> None:
    assert SERDES.deserialize(SERDES.serialize(Colour.RED)) == "red"
    assert SERDES.deserialize(SERDES.serialize({"level": Level.HIGH})) == {"level": 3}


def test_integers_of_any_size_come_back_exactly() -> None:
    assert SERDES.deserialize(SERDES.serialize(2**80)) == 2**80


def test_bytearray_comes_back_as_bytes() -> None:
    assert SERDES.deserialize(SERDES.serialize(bytearray(b"ab"))) == b"ab"


@pytest.mark.parametrize("value", [object(), {1, 2}, {(1, 2): 3}, lambda: 1])
def test_what_cannot_be_written_is_refused(value: object) -> None:
    with pytest.raises(SerDesError):
        SERDES.serialize(value, CONTEXT)


@pytest.mark.parametrize("text", ['{"t":"zz","v":1}', '{"t":"m","v":{"a":1}}'])
def test_a_malformed_envelope_is_refused(text: str) -> None:
    with pytest.raises(SerDesError):
        SERDES.deserialize(text, CONTEXT)


@pytest.mark.parametrize("value", [{}, {"a": {"b": [1, {"c": None}]}}, {"t": "s"}, [{"a": 1}]])
def test_json_that_people_type_is_read_as_it_is(value: object) -> None:
    assert SERDES.deserialize(json.dumps(value), CONTEXT) == value


def test_people_read_values_without_tags() -> None:
    value = {"id": UUID(int=1), "sum": Decimal("1.50"), "on": date(2026, 3, 1), "lines": [(1, None)], "empty": {}}
    shown = without_tags(json.loads(SERDES.serialize(value, CONTEXT)))
    assert shown == {"id": str(UUID(int=1)), "sum": "1.50", "on": "2026-03-01", "lines": [[1, None]], "empty": {}}


@pytest.mark.parametrize("value", [None, "text", [1, 2], {"t": "s"}, {"t": "m", "v": {"a": {"b": 1}}}, {"t": "zz", "v": 1}])
def test_what_is_not_tagged_throughout_is_shown_as_it_is(value: object) -> None:
    assert without_tags(value) == value


def test_plain_json_and_pass_through() -> None:
    assert JsonSerDes().serialize({"a": [1]}, CONTEXT) == '{"a": [1]}'
    assert JsonSerDes().deserialize('{"a": [1]}', CONTEXT) == {"a": [1]}
    assert PassThroughSerDes().serialize("as it is", CONTEXT) == "as it is"
    assert PassThroughSerDes().deserialize("as it is", CONTEXT) == "as it is"


def test_serdes_can_be_subscripted_and_subclassed() -> None:
    class Upper(SerDes[str]):
        def serialize(self, value: str, serdes_context: SerDesContext) -> str:
            return value.upper()

        def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
            return data

    assert Upper().serialize("a", CONTEXT) == "A"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_comes_back_as_it_was(value: object) -> None:
    text = SERDES.serialize(value, CONTEXT)
    json.loads(text)
    back = SERDES.deserialize(text, CONTEXT)
    assert back == value
    assert repr(SERDES.read_back(value, text)) == repr(back)


def test_a_value_read_back_shares_nothing_that_can_change() -> None:
    value = {"a": [1, {"b": (2, [3])}]}
    back = SERDES.read_back(value, SERDES.serialize(value))
    assert back == value
    value["a"][1]["b"][1].append(4)
    assert back == {"a": [1, {"b": (2, [3])}]}


@pytest.mark.parametrize(
    "value", [{1: "a", None: 2, 1.5: 3}, {True: 4}, {"c": Colour.RED}, [{}, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))], {Colour.RED: 1}]
)
def test_what_changes_on_the_way_is_read_back_changed(value: object) -> None:
    text = SERDES.serialize(value)
    back = SERDES.deserialize(text)
    assert repr(SERDES.read_back(value, text)) == repr(back)
    assert json.loads(text)["t"] in "ml"
