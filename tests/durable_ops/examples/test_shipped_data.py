"""The CSV that ships is what its users are told it is."""

import csv
from pathlib import Path

import pytest

from durable_ops.examples import expense_approval

EXPENSES = Path(expense_approval.__file__).parent / "data" / "expenses.csv"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with EXPENSES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def test_two_hundred_expenses_with_their_own_ids(rows: list[dict[str, str]]) -> None:
    assert list(rows[0]) == ["expense_id", "amount", "category", "receipt_url"]
    assert len({row["expense_id"] for row in rows}) == len(rows) == 200


def test_a_tenth_is_bad_in_each_of_three_ways(rows: list[dict[str, str]]) -> None:
    amounts = [(number(row["amount"]), row["receipt_url"]) for row in rows]
    negative = [row for row in amounts if row[0] is not None and row[0] <= 0]
    without_receipt = [row for row in amounts if not row[1]]
    no_number = [row for row in amounts if row[0] is None]
    assert (len(negative), len(without_receipt), len(no_number)) == (7, 7, 6)


def test_about_a_third_needs_finance(rows: list[dict[str, str]]) -> None:
    assert 55 <= sum(1 for row in rows if (number(row["amount"]) or 0) > 5000) <= 75
