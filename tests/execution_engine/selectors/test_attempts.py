import json
from typing import Any

import pytest

from execution_engine.models import Execution, Operation
from execution_engine.selectors.attempts import AttemptRow, list_attempts
from tests.factories import ago, make_event, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db
BUSY = json.dumps({"ErrorType": "Busy", "ErrorMessage": "later"})


@pytest.fixture
def execution() -> Execution:
    return make_execution(make_version())


def retried(execution: Execution, status: str) -> Operation:
    """Two attempts that failed and a third one, among the events of another step."""
    step, other = make_operation(execution, status=status, start_event=2), make_operation(execution)
    for number in (1, 2):
        failed = {"RetryDetails": {"CurrentAttempt": number, "NextAttemptDelaySeconds": 2 * number}}
        make_event(execution, number * 10, "StepStarted", ago(seconds=50 - number * 10), operation_id=step.id)
        make_event(execution, number * 10 + 1, "StepStarted", ago(seconds=50), operation_id=other.id)
        make_event(
            execution, number * 10 + 2, "StepFailed", ago(seconds=49 - number * 10), operation_id=step.id, details=failed, error=BUSY
        )
    make_event(execution, 30, "StepStarted", ago(seconds=5), operation_id=step.id)
    return step


def told(attempts: list[AttemptRow]) -> list[tuple[int | None, bool, str | None, int | None]]:
    return [(one.number, one.failed, one.error, one.due_at and one.ended_at and (one.due_at - one.ended_at).seconds) for one in attempts]


def test_attempts_are_told_newest_first_in_one_query(execution: Execution, django_assert_num_queries: Any) -> None:
    step = retried(execution, "STARTED")
    with django_assert_num_queries(1):
        found = list_attempts(execution.id, step.id, since=2)
    assert told(found) == [(None, False, None, None), (2, True, BUSY, 4), (1, True, BUSY, 2)]
    assert found[0].duration is None
    assert [one.duration.seconds for one in found[1:] if one.duration] == [1, 1]


def test_last_attempt_has_no_error_of_its_own(execution: Execution) -> None:
    step = retried(execution, "FAILED")
    make_event(execution, 31, "StepFailed", ago(), operation_id=step.id, details={"RetryDetails": {"CurrentAttempt": 3}})
    assert told(list_attempts(execution.id, step.id, since=2))[0] == (3, True, None, None)


def test_the_newest_are_listed(execution: Execution) -> None:
    step = retried(execution, "STARTED")
    assert told(list_attempts(execution.id, step.id, since=2, limit=1)) == [(None, False, None, None)]
    assert list_attempts(execution.id, step.id, since=31) == []
