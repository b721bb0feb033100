"""The picture of what ran: order, boxes, branches, and what is left out of large ones."""

from typing import Any

import pytest

from execution_engine.selectors.graph import BRANCHES, Node, get_graph
from tests.factories import make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db


def shape(nodes: tuple[Node, ...]) -> list[Any]:
    return [(node.title, shape(node.inside)) if node.inside else node.title for node in nodes]


def test_boxes_hold_what_ran_inside_them() -> None:
    execution = make_execution(make_version())
    make_operation(execution, name="first")
    box = make_operation(execution, "CONTEXT", name="box")
    make_operation(execution, name="inner", parent_id=box.id)
    make_operation(execution, name="last")
    assert shape(get_graph(execution.id).nodes) == ["first", ("box", ["inner"]), "last"]


def test_of_a_large_batch_those_are_drawn_that_people_look_for() -> None:
    execution = make_execution(make_version())
    batch = make_operation(execution, "CONTEXT", "SUCCEEDED", name="all", sub_type="Map")
    for number in range(20):
        make_operation(execution, "CONTEXT", "FAILED" if number == 15 else "SUCCEEDED", name=f"item {number}", parent_id=batch.id)
    (node,) = get_graph(execution.id).nodes
    assert (node.is_batch, len(node.inside), node.left_out, node.left_out_failed) == (True, BRANCHES, 20 - BRANCHES, 0)
    assert "item 15" in [one.title for one in node.inside]


def test_one_query_however_much_ran(django_assert_num_queries: Any) -> None:
    execution = make_execution(make_version())
    for _ in range(5):
        make_operation(execution)
    with django_assert_num_queries(1):
        get_graph(execution.id)
