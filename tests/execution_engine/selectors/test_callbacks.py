from datetime import timedelta
from typing import Any

import pytest

from execution_engine.models import FunctionVersion
from execution_engine.selectors.callbacks import find_callback, pending_callbacks
from tests.factories import ago, make_callback, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FunctionVersion:
    return make_version()


@pytest.mark.parametrize("rows", [1, 3])
def test_pending_callbacks_ask_two_queries(version: FunctionVersion, rows: int, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        make_callback(make_execution(version))
    with django_assert_num_queries(2):
        assert len(pending_callbacks()) == rows


def test_longest_wait_comes_first(version: FunctionVersion) -> None:
    execution = make_execution(version)
    make_callback(execution, "young", started_at=ago(minutes=1))
    make_callback(execution, "old", started_at=ago(hours=1))
    assert [row.title for row in pending_callbacks()] == ["old", "young"]


def test_only_callbacks_that_an_answer_would_complete(version: FunctionVersion) -> None:
    execution = make_execution(version)
    ended = make_execution(version, status="STOPPED", ended_at=ago())
    wanted = make_callback(execution, due_at=ago(minutes=-5))
    make_callback(execution, due_at=ago(seconds=5))
    make_callback(execution, status="SUCCEEDED")
    make_callback(ended)
    make_operation(execution, "CALLBACK", sub_type="Signal", callback_id="signal")
    assert [row.callback_id for row in pending_callbacks()] == [wanted.callback_id]
    assert [row.callback_id for row in pending_callbacks(execution.id)] == [wanted.callback_id]
    assert pending_callbacks(ended.id) == []


def test_row_tells_timers_and_whose_it_is(version: FunctionVersion) -> None:
    execution = make_execution(version, name="expense-7", started_by="ada", attributes={"amount": 9})
    made = make_callback(execution, "finance create callback id", options={"timeout": 60, "heartbeat": 10}, due_at=ago(seconds=-5))
    row = find_callback(made.callback_id)
    assert row is not None
    assert (row.title, row.execution_name, row.started_by, row.attributes) == ("finance", "expense-7", "ada", {"amount": 9})
    assert (row.timeout_at, row.heartbeat_seconds, row.is_pending) == (made.started_at + timedelta(seconds=60), 10, True)


def test_unknown_callback_is_none() -> None:
    assert find_callback("nothing") is None


def test_approvals_can_be_left_out_and_hide_no_callback(version: FunctionVersion) -> None:
    execution = make_execution(version)
    for _ in range(3):
        make_callback(execution, "approval", started_at=ago(hours=1), options={"approval": "id", "timeout": 5})
    make_callback(execution, "machine", options={"timeout": 60})
    make_callback(execution, "plain")
    assert [row.title for row in pending_callbacks(limit=2, with_approvals=False)] == ["machine", "plain"]
    assert len(pending_callbacks()) == 5
