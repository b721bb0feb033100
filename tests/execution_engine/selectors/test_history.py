"""Events as AWS shows them, joined from rows that keep every payload once."""

import time
from typing import Any
from uuid import UUID

from execution_engine import DurableContext, RetryPolicy, durable_execution
from execution_engine.core.records import ErrorObject
from execution_engine.models import Execution
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE

attempts: list[int] = []


@durable_execution(name="test-history")
def flaky(event: Any, context: DurableContext) -> str:
    def once_more() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("first time")
        return "second time"

    found = context.step("flaky", once_more, retry=RetryPolicy(max_attempts=2, initial_interval=1))
    callback = context.create_callback(name="answer")
    try:
        callback.result()
    except Exception as error:
        return f"{found}, {error}"
    return found


def ended(runtime: Runtime) -> UUID:
    """An execution with a retried step, a failed callback and a result."""
    attempts.clear()
    started = executions.start_execution("test-history", '{"n": 1}')
    deadline = time.monotonic() + PATIENCE
    answered = False
    while Execution.objects.get(id=started.id).ended_at is None:
        assert time.monotonic() < deadline
        open_ids = [e["CallbackStartedDetails"]["CallbackId"] for e in list_events(started.id) if e["EventType"] == "CallbackStarted"]
        if open_ids and not answered:
            callbacks.fail_callback(open_ids[0], ErrorObject(message="no", type="Refused"))
            answered = True
        time.sleep(0.05)
    return started.id


def test_each_event_shows_its_own_payload_and_error(runtime: Runtime) -> None:
    execution_id = ended(runtime)
    events = list_events(execution_id)
    assert [e["EventId"] for e in events] == list(range(1, len(events) + 1))
    shown = {e["EventType"]: e[f"{e['EventType']}Details"] for e in events}
    assert shown["ExecutionStarted"]["Input"]["Payload"] == '{"n": 1}'
    failed = shown["StepFailed"]
    assert failed["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 1}
    assert failed["Error"]["Payload"]["ErrorMessage"] == "first time"
    assert shown["StepSucceeded"]["Result"] == {"Payload": '"second time"', "Truncated": False}
    assert shown["CallbackFailed"]["Error"]["Payload"] == {"ErrorMessage": "no", "ErrorType": "Refused"}
    assert shown["ExecutionSucceeded"]["Result"]["Payload"] == '"second time, no"'
    steps = [e for e in events if e.get("Name") == "flaky"]
    assert [e["EventType"] for e in steps] == ["StepStarted", "StepFailed", "StepStarted", "StepSucceeded"]
    assert len({(e["Id"], e["SubType"]) for e in steps}) == 1


def test_pages_both_ways_and_without_data(runtime: Runtime, django_assert_max_num_queries: Any) -> None:
    execution_id = ended(runtime)
    events = list_events(execution_id)
    assert list_events(execution_id, reverse=True) == events[::-1]
    assert list_events(execution_id, after=3, limit=2) == events[3:5]
    assert list_events(execution_id, after=3, limit=2, reverse=True) == [events[1], events[0]]
    with django_assert_max_num_queries(3):
        list_events(execution_id)
    bare = str(list_events(execution_id, include_data=False))
    assert not any(text in bare for text in ("first time", "second time", '"n"', "Refused"))
    assert [e.keys() for e in list_events(execution_id, include_data=False)] == [e.keys() for e in events]


def test_unknown_execution_has_no_events(db: None) -> None:
    assert list_events(UUID(int=0)) == []
