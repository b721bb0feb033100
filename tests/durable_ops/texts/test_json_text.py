import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_ops.texts import json_text

REFUSED = {
    "bad UTF-8": (b'{"a": "\xff"}', "Not UTF-8: byte 7 is 0xff"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16-le"), "Not JSON"),
    "depth 1,000": ("[" * 1000 + "]" * 1000, "Nested deeper"),
    "depth 100,000": ("[" * 100_000 + "]" * 100_000, "Nested deeper"),
    "depth one too many": ("[" * 201 + "]" * 201, "Nested deeper"),
    "objects nested too deep": ('{"a":' * 201 + "1" + "}" * 201, "Nested deeper"),
    "beyond a double": ('{"a": 1e400}', "1e400 is beyond"),
    "1e130000": ("1e130000", "beyond the range"),
    "-1e400": ("-1e400", "beyond the range"),
    "NaN": ('{"a": NaN}', "NaN is no JSON value"),
    "Infinity": ("[-Infinity]", "-Infinity is no JSON value"),
    "5,000 digits": ("9" * 5000, "5000 digits"),
    "key twice": ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' stands twice"),
    "NUL escape": ('{"a": {"b": ["x\\u0000"]}}', r"\$\[a\]\[b\]\[0\] holds a NUL character at 1"),
    "NUL raw": ('"\x00"', "NUL character"),
    "NUL in a key": ('{"a\\u0000": 1}', "a key of \\$ holds a NUL"),
    "lone surrogate": ('{"a": "\\ud800"}', "half a surrogate pair"),
    "lone surrogate, other half": ('["\\uDC00"]', "half a surrogate pair"),
    "raw lone surrogate": ('"\ud800"', "half a surrogate pair"),
    "nothing": ("", "Not JSON"),
    "two values": ("{} {}", "Extra data"),
    "cut off": ('{"a": [1, 2', "Not JSON"),
    "single quotes": ("{'a': 1}", "Not JSON"),
    "trailing comma": ("[1,]", "Not JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_parse_refuses_and_says_what(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(json_text.JsonTextError, match=message):
        json_text.parse(text)


ACCEPTED = [
    '"\\ud83d\\ude00"',
    '{"__proto__": {"x": 1}}',
    "[" * 200 + "]" * 200,
    '"\\\\u0000"',
    "9" * 4300,
    "-0.0",
    '""',
    "null",
    '["' + "[{" * 500 + '"]',
    '{"a\\"[": "\\\\' + "[" * 500 + '"}',
    "[" + "[[]]," * 500 + "1]",
    '{"": 1}',
]


@pytest.mark.parametrize("text", [*ACCEPTED, json.dumps({"k" * 1_000_000: 1})])
def test_accepted_text_survives_storage_and_every_reader(text: str) -> None:
    value = json_text.parse(text)
    stored = json_text.compact(value)
    assert stored.encode()
    assert "\x00" not in stored
    assert json.loads(stored) == value
    assert json_text.parse_or_text(stored) == value


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_json_value_is_read_back_or_refused(value: Any) -> None:
    text = json.dumps(value)
    if "\\u0000" in text or json_text.text_problem(json.dumps(value, ensure_ascii=False)):
        return
    read = json_text.parse(text)
    assert read == value
    assert json_text.parse(json_text.compact(read)) == value


@given(st.dictionaries(st.text(alphabet='ab"\\{}[],: é😀\n', max_size=6), VALUES, max_size=5))
def test_members_are_the_very_texts_that_were_sent(body: dict[str, Any]) -> None:
    text = " " + json.dumps(body, indent=1)
    found = json_text.members(text)
    assert {key: json.loads(part) for key, part in found.items()} == body
    assert all(part in text for part in found.values())


def test_members_keep_blanks_and_escapes() -> None:
    found = json_text.members('{ "result" : {"status": "approved"} ,"x":"\\u00e9"}')
    assert found == {"result": '{"status": "approved"}', "x": '"\\u00e9"'}


@pytest.mark.parametrize("text", ["NaN", "hello", "1e400", '{"a": 1, "a": 2}', "[" * 5000, "[" * 300 + "]" * 300])
def test_stored_text_that_is_no_strict_json_is_shown_as_text(text: str) -> None:
    assert json_text.parse_or_text(text) == text


@pytest.mark.parametrize(("text", "value"), [('{"ErrorMessage": "a\\u0000b"}', {"ErrorMessage": "a\x00b"}), ('"\\ud800"', "\ud800")])
def test_stored_texts_that_no_input_may_hold_are_still_values(text: str, value: Any) -> None:
    assert json_text.parse_or_text(text) == value
