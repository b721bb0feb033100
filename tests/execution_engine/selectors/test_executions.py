"""The list by page: filters, order, cursor, and how little it asks of the database."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution_engine.core.errors import ExecutionNotFoundError, InvalidInputError
from execution_engine.models import FunctionVersion
from execution_engine.selectors.executions import count_executions, get_execution, get_payloads, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import Count, ExecutionFilters, Precision
from tests.factories import ago, make_callback, make_execution, make_version, make_worker, some_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FunctionVersion:
    found = make_version()
    make_worker(found)
    return found


def names(filters: ExecutionFilters | None = None) -> list[str]:
    return [item.name for item in list_executions(filters or ExecutionFilters()).items]


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_three_queries_whatever_its_length(version: FunctionVersion, rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        make_callback(make_execution(version))
    with django_assert_num_queries(3):
        assert len(list_executions(ExecutionFilters()).items) == rows


def test_empty_list_asks_no_operations(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        assert list_executions(ExecutionFilters()).items == ()


def test_list_and_detail_never_read_payloads(version: FunctionVersion) -> None:
    execution = make_execution(version, input='{"secret": 1}')
    make_callback(execution, payload="x")
    with CaptureQueriesContext(connection) as queries:
        list_executions(ExecutionFilters())
        get_execution(execution.id)
    asked = " ".join(query["sql"] for query in queries)
    assert [column for column in ('"input"', '"result"', '"error"', '"payload"') if column in asked] == []


def test_newest_comes_first_and_pages_do_not_overlap(version: FunctionVersion) -> None:
    same = ago(minutes=3)
    for number, started_at in enumerate([ago(minutes=1), same, same, same, ago(minutes=9)]):
        make_execution(version, id=some_id(100 - number), name=f"e{number}", started_at=started_at)
    first = list_executions(ExecutionFilters(), limit=2)
    second = list_executions(ExecutionFilters(), first.next_cursor, limit=2)
    third = list_executions(ExecutionFilters(), second.next_cursor, limit=2)
    assert [[item.name for item in page.items] for page in (first, second, third)] == [["e0", "e1"], ["e2", "e3"], ["e4"]]
    assert third.next_cursor is None


@pytest.mark.parametrize("cursor", ["x", "bm90aGluZw", "====", "2026", "é"])
def test_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        list_executions(ExecutionFilters(), cursor)
    assert refusal.value.facts["field"] == "cursor"


@pytest.mark.parametrize("limit", [0, 201])
def test_page_has_bounds(limit: int) -> None:
    with pytest.raises(InvalidInputError):
        list_executions(ExecutionFilters(), limit=limit)


def test_filters_by_status_function_and_version(version: FunctionVersion) -> None:
    other = make_version("order-fulfilment", "2")
    make_execution(version, name="a", status="FAILED", ended_at=ago())
    make_execution(other, name="b")
    assert names(ExecutionFilters(status="FAILED")) == ["a"]
    assert names(ExecutionFilters(function="order-fulfilment")) == ["b"]
    assert names(ExecutionFilters(function="order-fulfilment", version="1")) == []


@pytest.mark.parametrize("state", list(StateCode))
def test_no_worker_at_all_is_no_obstacle(state: StateCode) -> None:
    filters = ExecutionFilters(state=state, version="1")
    assert (list_executions(filters).items, count_executions(filters)) == ((), Count(0, Precision.EXACT))


def test_text_is_a_prefix_of_name_or_id(version: FunctionVersion) -> None:
    make_execution(version, id=UUID("0199aaaa-0000-7000-8000-000000000001"), name="order-1")
    make_execution(version, id=UUID("0199bbbb-0000-7000-8000-000000000001"), name="order-2")
    make_execution(version, id=UUID("0199cccc-0000-7000-8000-000000000001"), name="50%_done")
    assert names(ExecutionFilters(text="order-2")) == ["order-2"]
    assert names(ExecutionFilters(text="0199aaaa-00")) == ["order-1"]
    assert names(ExecutionFilters(text="50%_")) == ["50%_done"]
    assert names(ExecutionFilters(text="0199")) == []


@pytest.mark.parametrize(("wanted", "found"), [(42, ["number", "text"]), ("42", ["text"]), (True, ["flag"]), ("eu", [])])
def test_attributes_must_be_equal(version: FunctionVersion, wanted: Any, found: list[str]) -> None:
    for name, value in (("flag", True), ("text", "42"), ("number", 42)):
        make_execution(version, name=name, attributes={"customer": value, "region": "us"})
    assert sorted(names(ExecutionFilters(attributes={"customer": wanted}))) == sorted(found)


def test_count_is_exact_up_to_a_bound_and_estimated_above(version: FunctionVersion, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        make_execution(version)
    with django_assert_num_queries(2):
        assert count_executions(ExecutionFilters()) == Count(5, Precision.EXACT)
    found = count_executions(ExecutionFilters(), upto=3)
    assert (found.precision, found.number >= 4) == (Precision.ESTIMATED, True)


@pytest.mark.parametrize("is_open", [True, False])
def test_detail_asks_at_most_two_queries(version: FunctionVersion, is_open: bool, django_assert_num_queries: Any) -> None:
    fields = {} if is_open else {"status": "SUCCEEDED", "ended_at": ago()}
    execution = make_execution(version, **fields)
    with django_assert_num_queries(2 if is_open else 1):
        assert get_execution(execution.id).summary.name == execution.name


def test_payloads_are_the_stored_texts(version: FunctionVersion) -> None:
    execution = make_execution(version, input=' {"a":1}', error='{"ErrorType":"X"}')
    found = get_payloads(execution.id)
    assert (found.input, found.result, found.error) == (' {"a":1}', None, '{"ErrorType":"X"}')


def test_unknown_execution_is_refused() -> None:
    for ask in (get_execution, get_payloads):
        with pytest.raises(ExecutionNotFoundError):
            ask(some_id(1))
