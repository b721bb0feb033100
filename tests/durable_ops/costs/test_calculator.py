"""Published examples, to the cent."""

from datetime import date
from decimal import Decimal

import pytest

from durable_ops.costs.bills import Basis, Bill, amount_text, cents, durable_charges, make_bill, number_text
from durable_ops.costs.calculator import EXAMPLES, Scenario, estimate
from durable_ops.costs.prices import LIST_PRICES, Book, Item, Price, PriceBook
from execution_engine.selectors.costs import Quantities, Usage

BOOK = PriceBook(LIST_PRICES)
DAY = date(2026, 11, 21)


def lines(bill: Bill) -> list[str]:
    return [str(cents(line.amount)) for line in bill.lines]


def test_expense_approvals() -> None:
    found = estimate(EXAMPLES["expenses"].scenario, BOOK, DAY)
    assert lines(found.durable) == ["0.01", "0.20", "4.17", "0.16"]
    assert found.durable.arithmetic == "0.01 + 0.20 + 4.17 + 0.16 = 4.54"
    assert found.state_machine.arithmetic == "10.00 + 15.00 = 25.00"
    assert found.saved == 82


@pytest.mark.parametrize(("example", "total"), [("transitions-8", "2.00"), ("transitions-20", "500.00"), ("transitions-10", "250.00")])
def test_transitions(example: str, total: str) -> None:
    assert str(cents(estimate(EXAMPLES[example].scenario, BOOK, DAY).state_machine.total)) == total


@pytest.mark.parametrize(("example", "total"), [("x86", "33.33"), ("arm", "26.67")])
def test_compute(example: str, total: str) -> None:
    assert str(cents(estimate(EXAMPLES[example].scenario, BOOK, DAY).durable.total)) == total


def test_the_article_that_says_33_40_for_arm_used_another_price() -> None:
    price = BOOK.find(Book.PUBLISHED, Item.COMPUTE_ARM, DAY)
    assert price is not None
    assert str(cents(2_000_000 * price.each)) == "33.40"
    assert "0.0000133334" in EXAMPLES["arm"].note


def test_expense_approvals_at_aws_list_price() -> None:
    found = estimate(Scenario(), BOOK, DAY).durable
    assert [line.arithmetic for line in found.lines] == [
        "50,000 × 0.20 / 1,000,000 = 0.01",
        "200,000 × 8.00 / 1,000,000 = 1.60",
        "250,000 × 0.0000166667 = 4.17",
        "1.6 × 0.25 = 0.40",
        "1.6 × 0.15 = 0.24",
    ]
    assert found.arithmetic == "0.01 + 1.60 + 4.17 + 0.40 + 0.24 = 6.42"


def test_waiting_costs_nothing_and_is_counted() -> None:
    week = estimate(Scenario(wait_seconds=7 * 86_400), BOOK, DAY)
    assert week.durable == estimate(Scenario(), BOOK, DAY).durable
    assert week.waited_seconds == 50_000 * 7 * 86_400


def test_a_price_counts_from_its_day_and_the_first_one_before() -> None:
    newer = Price(Book.AWS, Item.OPERATION, Decimal("9.00"), 1_000_000, date(2026, 11, 10), "announced")
    book = PriceBook([*LIST_PRICES, newer])
    million = Usage(Quantities(operations=1_000_000))
    days = [date(2025, 1, 1), date(2026, 11, 9), date(2026, 11, 10)]
    bill = make_bill("", durable_charges(Basis.X86), [(day, million) for day in days], book)
    assert [line.arithmetic for line in bill.lines if line.quantity] == [
        "2,000,000 × 8.00 / 1,000,000 = 16.00",
        "1,000,000 × 9.00 / 1,000,000 = 9.00",
    ]


@pytest.mark.parametrize(
    ("quantity", "text"), [("0.000012345", "0.0000123"), ("1234.5", "1,234.5"), ("1234567", "1,234,567"), ("0", "0"), ("0.5", "0.5")]
)
def test_quantities_are_written_without_exponent(quantity: str, text: str) -> None:
    assert number_text(Decimal(quantity)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("4.166675", "4.17"), ("0.01", "0.01"), ("0.0086", "0.0086"), ("0.0000004", "0.00000040"), ("1234.5", "1,234.50"), ("0", "0.00")],
)
def test_amounts_are_shown_to_the_cent_and_small_ones_with_two_digits(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text
