"""JSON from outside, read so strictly that whatever is accepted can be stored, shown and read back by every handler.

Python's own reader takes values that fail later, as a 500 or inside a worker: NaN, numbers beyond a double, nesting
deeper than its stack, NUL (PostgreSQL refuses it), half surrogate pairs (UTF-8 refuses them), a key twice (one is lost).
"""

import json
import re
from itertools import accumulate, islice, pairwise
from json.decoder import scanstring  # type: ignore[attr-defined]  # there, and unnamed in the stubs
from typing import Any

# Twice what any document in practice needs, and far from the stack of a handler, which is already deep when it reads.
MAX_DEPTH = 200
_BLANKS = re.compile(r"[ \t\n\r]*")
_NO_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[^\[\]{}"]+')
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# How many values are looked through to name the place of a bad text; whoever sends more gets no place.
_WALKED = 100_000
_SUSPECT_TEXT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class JsonTextError(ValueError):
    """The text is not JSON that can be kept; the message names what and where."""


def parse(raw: bytes | str) -> Any:
    """The value of a JSON text in UTF-8 without a byte order mark. Raises JsonTextError."""
    text = _decode(raw)
    value = _value(text)
    if _SUSPECT_TEXT.search(text):
        _check_texts(value)
    return value


def members(text: str) -> dict[str, str]:
    """The members of a JSON object that `parse` accepted, each value as the very text that was sent."""
    found: dict[str, str] = {}
    at = _after_blanks(text, _after_blanks(text, 0) + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1, True)
        start = _after_blanks(text, _after_blanks(text, at) + 1)
        _, at = _DECODER.raw_decode(text, start)
        found[key] = text[start:at]
        at = _after_blanks(text, at)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
    return found


def compact(value: Any) -> str:
    """The JSON text that is stored: no blanks, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_or_text(text: str | None) -> Any:
    """A stored payload for a JSON answer: its value when it can be sent as JSON, else the text itself; None for none.

    What a handler returned or raised may hold NUL and half surrogate pairs: they are sent as the escapes they are stored as.
    """
    if text is None:
        return None
    try:
        return _value(text)
    except JsonTextError:
        return text


def is_json(text: str) -> bool:
    try:
        parse(text)
    except JsonTextError:
        return False
    return True


def text_problem(text: str) -> str | None:
    """Why a text cannot be stored ("a NUL character at 3"), or None."""
    at = text.find("\x00")
    if at >= 0:
        return f"a NUL character at {at}"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"half a surrogate pair at {error.start}"
    return None


def _value(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except RecursionError:
        raise JsonTextError(f"Nested deeper than {MAX_DEPTH} levels.") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise JsonTextError(f"Nested deeper than {MAX_DEPTH} levels.")
    return value


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found is not None
    return found.end()


def _decode(raw: bytes | str) -> str:
    if isinstance(raw, str):
        text = raw
        problem = text_problem(text)
        if problem:
            raise JsonTextError(f"The text holds {problem}.")
    else:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise JsonTextError(f"Not UTF-8: byte {error.start} is 0x{raw[error.start]:02x}.") from error
    if text.startswith("\ufeff"):
        raise JsonTextError("Begins with a byte order mark; send UTF-8 without one.")
    return text


def _depth(text: str) -> int:
    """Levels of nesting of a valid text; C loops over its brackets, as a body of millions of them must not cost seconds."""
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _check_texts(root: Any) -> None:
    """Names the place of a text that cannot be stored. Walks without recursion, as far as the budget goes."""
    dumped = json.dumps(root, ensure_ascii=False)
    if not _NUL.search(dumped) and text_problem(dumped) is None:
        return
    stack: list[tuple[Any, str]] = [(root, "$")]
    for _ in range(_WALKED):
        if not stack:
            break
        value, place = stack.pop()
        if isinstance(value, str):
            _check_text(value, place)
        elif isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, inner in islice(items, _WALKED):
                if isinstance(key, str):
                    _check_text(key, f"a key of {place}")
                stack.append((inner, f"{place}[{_short(str(key))}]" if len(place) < 200 else place))
    raise JsonTextError("A text holds a NUL character or half a surrogate pair.")


def _check_text(text: str, place: str) -> None:
    problem = text_problem(text)
    if problem:
        raise JsonTextError(f"{_shown(place)} holds {problem}.")


def _shown(place: str) -> str:
    return place.encode("ascii", "backslashreplace").decode()[:200]


def _read_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonTextError(f"The number {_short(text)} is beyond the range of a double.")
    return number


def _read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python's bound on digits, 4300 unless the process was told otherwise
        raise JsonTextError(f"The number {_short(text)} has {len(text)} digits; send it as text.") from None


def _read_constant(text: str) -> Any:
    raise JsonTextError(f"{text} is no JSON value.")


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(key for key, following in pairwise(keys) if key == following)
        raise JsonTextError(f"The key {_shown(_short(twice))!r} stands twice in one object.")
    return found


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}...{text[-5:]}"


_DECODER = json.JSONDecoder(object_pairs_hook=_read_object, parse_float=_read_float, parse_int=_read_int, parse_constant=_read_constant)
