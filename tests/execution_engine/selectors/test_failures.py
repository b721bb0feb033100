"""What was raised behind the error that ended an execution."""

import json
from typing import Any

import pytest

from execution_engine.models import Execution, FunctionVersion, Operation
from execution_engine.selectors.activity import failure_groups
from execution_engine.selectors.executions import list_executions
from execution_engine.selectors.failures import Failure, get_failure, list_failures
from execution_engine.selectors.search import ExecutionFilters
from tests.factories import ago, make_event, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db

STEP_ERROR = "execution_engine.sdk.errors.StepError"


def error(kind: str, message: str) -> str:
    return json.dumps({"ErrorMessage": message, "ErrorType": kind, "StackTrace": ["in pay"]})


def make_failed(version: FunctionVersion, message: str = "no", kind: str = STEP_ERROR) -> Execution:
    return make_execution(version, status="FAILED", ended_at=ago(), event_seq=40, error=error(kind, message))


def make_failure(execution: Execution, event_id: int, kind: str, message: str = "no", name: str = "charge") -> Operation:
    operation = make_operation(execution, status="FAILED", name=name, error=error(kind, message))
    make_event(execution, event_id, "StepFailed", ago(), operation_id=operation.id)
    return operation


@pytest.fixture
def version() -> FunctionVersion:
    return make_version()


def test_what_a_step_raised_is_told_with_the_step(version: FunctionVersion, django_assert_num_queries: Any) -> None:
    failed = make_failed(version)
    make_failure(failed, 30, "shop.Busy", name="earlier")
    charge = make_failure(failed, 38, "shop.CardDeclined")
    other = make_failed(version, kind="ValueError")
    make_failure(other, 38, "shop.CardDeclined")
    ids = [failed.id, other.id, make_execution(version).id]
    with django_assert_num_queries(1):
        found = list_failures(ids)
    assert found == {failed.id: Failure("shop.CardDeclined", "no", charge.id, "charge"), other.id: Failure("ValueError", "no")}
    assert get_failure(failed.id) == (failed.error, found[failed.id])
    assert list_failures([]) == {}


def test_a_failure_that_was_caught_is_not_blamed(version: FunctionVersion) -> None:
    for event_id, message in ((38, "another"), (20, "no")):  # says something else; lies too far back
        failed = make_failed(version)
        make_failure(failed, event_id, "shop.CardDeclined", message)
        assert list_failures([failed.id])[failed.id] == Failure(STEP_ERROR, "no")


def test_groups_and_searches_know_what_was_raised(version: FunctionVersion) -> None:
    failed = make_failed(version)
    make_failure(failed, 38, "shop.CardDeclined")
    make_failure(make_failed(version), 38, "shop.Busy")
    groups = failure_groups(ago() - ago(hours=1))
    assert sorted((group.error_type, group.count) for group in groups) == [("shop.Busy", 1), ("shop.CardDeclined", 1)]
    for filters in (ExecutionFilters(error="carddeclined"), ExecutionFilters(error="carddeclined", error_is_type=True)):
        assert [item.id for item in list_executions(filters).items] == [failed.id]
    assert len(list_executions(ExecutionFilters(error="StepError")).items) == 2
