from typing import Any

import pytest

from execution_engine.core.attributes import MAX_ATTRIBUTES, MAX_CHARACTERS, problem_of


@pytest.mark.parametrize("value", ["", "Zoë", 0, -1, 10**30, 0.5, True, None, "x" * MAX_CHARACTERS])
def test_small_plain_values_are_taken(value: Any) -> None:
    assert problem_of({"key": value}) is None


REFUSED = {
    "nan": float("nan"),
    "infinity": float("inf"),
    "object": object(),
    "list": [1],
    "bytes": b"bytes",
    "nul": "nul\x00",
    "surrogate": "\ud800",
    "digits": 10**5000,
    "long": "x" * (MAX_CHARACTERS + 1),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_jsonb_or_a_list_cannot_carry_is_refused_by_name(value: Any) -> None:
    assert "'key'" in (problem_of({"key": value}) or "")


def test_names_are_short_texts_and_few() -> None:
    assert problem_of({1: 1}) is not None
    assert problem_of({"\ud800": 1}) is not None
    assert problem_of({"x" * (MAX_CHARACTERS + 1): 1}) is not None
    assert problem_of({str(n): n for n in range(MAX_ATTRIBUTES)}) is None
    assert problem_of({str(n): n for n in range(MAX_ATTRIBUTES + 1)}) is not None
