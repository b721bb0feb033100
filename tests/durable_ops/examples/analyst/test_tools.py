"""The analyst's tools do what they say, and nothing else that a question could talk them into."""

import sqlite3

import pytest

from durable_ops.examples.analyst.calculator import NotArithmetic, calculate
from durable_ops.examples.analyst.sales import query
from durable_ops.examples.analyst.search import search


@pytest.mark.parametrize(
    ("expression", "value"), [("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("-4 / 8", -0.5), ("0.1 + 0.2", 0.3), (" 2 - -2", 4)]
)
def test_calculator_calculates(expression: str, value: float) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "text", ["", "1 +", "__import__('os')", "9 ** 9 ** 9", "[1][0]", "x", "True + 1", "1 if 1 else 2", "1 + " * 100 + "1"]
)
def test_calculator_refuses_what_is_not_arithmetic(text: str) -> None:
    with pytest.raises(NotArithmetic):
        calculate(text)


def test_sales_are_a_year_of_four_regions_and_products() -> None:
    assert query("select count(*), count(distinct month), count(distinct region), count(distinct product) from sales") == [[192, 12, 4, 4]]


def test_sales_answer_with_fifty_rows_at_most() -> None:
    assert len(query("select * from sales")) == 50


@pytest.mark.parametrize(
    "sql",
    [
        "delete from sales",
        "update sales set units = 0",
        "insert into sales values ('may', 'north', 'mug', 1, 1)",
        "drop table sales",
        "create table more (a)",
        "attach database '/tmp/other' as other",
        "pragma query_only = off",
        "select load_extension('x')",
        "select 1; delete from sales",
        "select from",
    ],
)
def test_sales_can_only_be_read(sql: str) -> None:
    with pytest.raises((sqlite3.DatabaseError, sqlite3.ProgrammingError)):
        query(sql)


def test_query_without_end_is_cut_off() -> None:
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        query("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n")


@pytest.mark.parametrize(
    ("words", "source"),
    [("hotel in a capital city", "travel.md"), ("personalised mug returned", "returns.md"), ("lost laptop", "security.md")],
)
def test_search_finds_the_passage_that_speaks_about_it(words: str, source: str) -> None:
    found = search(words)
    assert found is not None
    assert found["source"] == source


@pytest.mark.parametrize("words", ["", "???", "airspeed swallow"])
def test_search_finds_nothing_where_nothing_is(words: str) -> None:
    assert search(words) is None
