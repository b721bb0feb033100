from typing import Any

import pytest

from durable_ops.texts.csv_cells import safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "cell"), [("a=1", "a=1"), ("", ""), (-1, -1), (None, None), ({"a": "=1"}, '{"a": "=1"}')])
def test_everything_else_stays(value: Any, cell: Any) -> None:
    assert safe_cell(value) == cell
