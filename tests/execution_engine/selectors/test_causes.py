"""Why an execution does not move: each cause by its own example, and the tree through its children."""

from typing import Any

import pytest

from execution_engine.core.identifiers import new_execution_id
from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.causes import CauseCode, explain
from execution_engine.selectors.explain import StateCode
from tests.factories import ago, make_callback, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FunctionVersion:
    found = make_version()
    make_worker(found, threads=4, in_flight=4)
    return found


def told(execution: Execution) -> list[tuple[CauseCode, str]]:
    return [(cause.code, cause.sentence) for cause in explain(execution.id).causes]


def test_queued_execution_is_behind_others_and_sees_busy_workers(version: FunctionVersion) -> None:
    for _ in range(2):
        make_execution(version, due_at=ago(seconds=9))
    assert told(make_execution(version, due_at=ago(seconds=3))) == [
        (CauseCode.QUEUE, "2 due before it at the same workers."),
        (CauseCode.WORKERS, "1 worker serves its version: 4 of 4 threads are busy."),
    ]


def test_stranded_execution_names_the_versions_that_are_served(version: FunctionVersion) -> None:
    old = make_version(version="0")
    sentence = "Version 0 of expense-approval is served by no live worker; served: 1."
    assert told(make_execution(old, due_at=ago(seconds=3))) == [(CauseCode.NO_WORKER, sentence)]


def test_every_open_operation_is_a_cause_trouble_first(version: FunctionVersion) -> None:
    execution = make_execution(version, due_at=ago(seconds=-9))
    callback = make_callback(execution, due_at=ago(hours=-1))
    make_operation(execution, status="PENDING", name="pay", attempt=2, due_at=ago(seconds=-9))
    make_operation(execution, "CALLBACK", name="chief", sub_type="Callback", callback_id="c", options={"approval": "c"})
    found = explain(execution.id)
    assert [(cause.code, cause.sentence) for cause in found.causes] == [
        (CauseCode.RETRY, "Attempt 2 of step pay failed; it is tried again."),
        (CauseCode.APPROVAL, "Nobody has decided approval chief yet."),
        (CauseCode.CALLBACK, "Nobody has answered callback manager yet."),
    ]
    assert (found.causes[2].callback_id, found.causes[2].until) == (callback.callback_id, callback.due_at)


def test_parent_waits_for_child_that_waits_for_a_callback(version: FunctionVersion, django_assert_max_num_queries: Any) -> None:
    parent = make_execution(version)
    invoke = make_operation(parent, "CHAINED_INVOKE", name="ship")
    child = make_execution(version, name="ship-1", parent_id=parent.id, parent_operation_id=invoke.id)
    make_callback(child)
    with django_assert_max_num_queries(12):
        found = explain(parent.id)
    (cause,) = found.causes
    assert (cause.code, cause.execution_id) == (CauseCode.CHILD, child.id)
    assert cause.sentence == "Its child expense-approval (ship-1) has not ended: Waiting for callback manager."
    assert [inner.code for inner in cause.causes] == [CauseCode.CALLBACK]
    assert explain(child.id).parent == (parent.id, "expense-approval")


def test_child_that_nobody_named_is_told_by_its_function(version: FunctionVersion) -> None:
    parent = make_execution(version)
    invoke = make_operation(parent, "CHAINED_INVOKE", name="ship")
    child_id = new_execution_id()
    make_callback(make_execution(version, id=child_id, name=str(child_id), parent_id=parent.id, parent_operation_id=invoke.id))
    (cause,) = explain(parent.id).causes
    assert cause.sentence == "Its child expense-approval has not ended: Waiting for callback manager."


def test_children_deeper_than_anybody_reads_are_cut(version: FunctionVersion) -> None:
    first = execution = make_execution(version)
    for _ in range(8):
        invoke = make_operation(execution, "CHAINED_INVOKE")
        execution = make_execution(version, parent_id=execution.id, parent_operation_id=invoke.id)
    depth, causes = 0, explain(first.id).causes
    while causes:
        depth, causes = depth + 1, causes[0].causes
    assert depth == 6


def test_many_open_operations_are_counted(version: FunctionVersion) -> None:
    execution = make_execution(version)
    for _ in range(8):
        make_callback(execution)
    assert told(execution)[-1] == (CauseCode.MORE, "3 more operations are open.")


@pytest.mark.parametrize("fields", [{"status": "SUCCEEDED", "ended_at": ago()}, {"status": "FAILED", "ended_at": ago()}])
def test_what_has_ended_needs_no_cause(version: FunctionVersion, fields: dict[str, Any]) -> None:
    assert told(make_execution(version, **fields)) == []


def test_list_and_tree_use_the_same_words(version: FunctionVersion) -> None:
    execution = make_execution(version, failed_invocations=2, due_at=ago(seconds=-3))
    found = explain(execution.id)
    assert found.state.code is StateCode.RETRYING
    assert found.causes[0].sentence == found.state.sentence
