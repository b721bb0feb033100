from typing import Any

import pytest

from execution_engine.models import Execution
from execution_engine.selectors.operations import Ended, get_operation, get_retried_error, list_operations, tree
from tests.factories import ago, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def execution() -> Execution:
    return make_execution(make_version())


@pytest.mark.parametrize("rows", [1, 3])
def test_list_asks_one_query_and_reads_sizes_only(execution: Execution, rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        make_operation(execution, status="SUCCEEDED", payload='"é"')
    with django_assert_num_queries(1) as queries:
        found = list_operations(execution.id)
    assert [one.result_bytes for one in found] == [4] * rows
    assert '"payload",' not in queries[0]["sql"]


def test_operations_are_in_order_of_start_and_by_window(execution: Execution) -> None:
    made = [make_operation(execution).id for _ in range(3)]
    found = list_operations(execution.id)
    assert [one.id for one in found] == made
    assert [one.id for one in list_operations(execution.id, after=found[0].start_event, limit=1)] == made[1:2]


def test_operations_are_chosen_by_how_they_ended(execution: Execution) -> None:
    for status in ("SUCCEEDED", "FAILED", "STARTED", "TIMED_OUT", "PENDING"):
        make_operation(execution, status=status)
    assert [one.status for one in list_operations(execution.id, ended=Ended.BADLY)] == ["FAILED", "TIMED_OUT"]
    assert [one.status for one in list_operations(execution.id, ended=Ended.NOT_YET)] == ["STARTED", "PENDING"]


def test_retried_error_is_that_of_the_step_that_is_due_next(execution: Execution) -> None:
    assert get_retried_error(execution.id) is None
    make_operation(execution, status="PENDING", attempt=1, due_at=ago(seconds=-60), error='{"ErrorType": "Late"}')
    make_operation(execution, status="PENDING", attempt=1, due_at=ago(seconds=-20), error='{"ErrorType": "Next"}')
    make_operation(execution, status="PENDING", attempt=1, due_at=ago(seconds=-10), payload='"a poll has no error"')
    assert get_retried_error(execution.id) == '{"ErrorType": "Next"}'


def test_tree_puts_children_below_their_context(execution: Execution) -> None:
    outer = make_operation(execution, "CONTEXT", name="outer")
    make_operation(execution, name="second")
    inner = make_operation(execution, "CONTEXT", name="inner", parent_id=outer.id)
    make_operation(execution, name="deep", parent_id=inner.id)
    make_operation(execution, name="orphan", parent_id="not here")
    found = [(row.operation.name, row.depth) for row in tree(list_operations(execution.id))]
    assert found == [("outer", 0), ("inner", 1), ("deep", 2), ("second", 0), ("orphan", 0)]


def test_one_operation_has_its_texts(execution: Execution) -> None:
    made = make_operation(execution, status="FAILED", payload="p", error='{"ErrorType": "X"}', options={"timeout": 3})
    found = get_operation(execution.id, made.id)
    assert found is not None
    assert (found.payload, found.error, found.options, found.row.error_bytes) == ("p", '{"ErrorType": "X"}', '{"timeout": 3}', 18)
    assert get_operation(execution.id, "unknown") is None
