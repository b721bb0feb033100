"""The keys of every event object: what is there, and what is absent rather than null."""

from collections import Counter
from typing import Any

import pytest

from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import IN_MEMORY
from tests.conformance.test_memory import play

# Keys of <EventType>Details; a question mark says that it is there only when asked for.
DETAILS = {
    "ExecutionStarted": {"Input", "?ExecutionTimeout"},
    "ExecutionSucceeded": {"Result"},
    "ExecutionFailed": {"Error"},
    "ExecutionStopped": {"Error"},
    "ExecutionTimedOut": {"Error"},
    "InvocationCompleted": {"StartTimestamp", "EndTimestamp", "RequestId", "Error"},
    "ContextStarted": set(),
    "ContextSucceeded": {"Result"},
    "ContextFailed": {"Error"},
    "StepStarted": set(),
    "StepSucceeded": {"Result", "RetryDetails"},
    "StepFailed": {"Error", "RetryDetails"},
    "WaitStarted": {"Duration", "ScheduledEndTimestamp"},
    "WaitSucceeded": {"Duration"},
    "CallbackStarted": {"CallbackId", "?Timeout", "?HeartbeatTimeout"},
    "CallbackSucceeded": {"Result"},
    "CallbackFailed": {"Error"},
    "CallbackTimedOut": {"Error"},
    "ChainedInvokeStarted": {"FunctionName", "Input", "?ExecutedVersion", "?DurableExecutionArn", "?TenantId"},
    "ChainedInvokeSucceeded": {"Result"},
    "ChainedInvokeFailed": {"Error"},
}


def keys_fit(found: dict[str, Any], expected: set[str]) -> bool:
    optional = {key[1:] for key in expected if key.startswith("?")}
    required = {key for key in expected if not key.startswith("?")}
    return required <= set(found) <= required | optional


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_keys(scenario: Scenario) -> None:
    events = play(scenario).events
    for event in events:
        kind = event["EventType"]
        expected = {"EventType", "EventId", "EventTimestamp", f"{kind}Details"}
        if kind != "InvocationCompleted":
            expected.add("Id")
        if not kind.startswith(("Execution", "Invocation")):
            expected |= {"SubType", "?Name", "?ParentId"}
        assert keys_fit(event, expected), event
        assert keys_fit(event[f"{kind}Details"], DETAILS[kind]), event
        assert None not in event.values() and "" not in event.values()
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    stamps = [event["EventTimestamp"] for event in events]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_data_is_marked_as_whole(scenario: Scenario) -> None:
    for event in play(scenario).events:
        for key in ("Input", "Result", "Error"):
            data = event[f"{event['EventType']}Details"].get(key)
            assert data is None or (data["Truncated"] is False and set(data) <= {"Payload", "Truncated"}), event


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_name_and_parent_are_the_same_on_every_event_of_an_operation(scenario: Scenario) -> None:
    marks: dict[str, set[tuple[str, ...]]] = {}
    for event in play(scenario).events:
        if "Id" in event:
            marks.setdefault(event["Id"], set()).add(tuple(event.get(key, "") for key in ("SubType", "Name", "ParentId")))
    assert [found for found in marks.values() if len(found) > 1] == []


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_one_end_after_the_last_invocation(scenario: Scenario) -> None:
    kinds = [event["EventType"] for event in play(scenario).events]
    ends = Counter(kind for kind in kinds if kind in ("ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped", "ExecutionTimedOut"))
    assert ends.total() == 1
    assert kinds[-2:-1] == ["InvocationCompleted"]


@pytest.mark.parametrize("scenario", IN_MEMORY, ids=lambda scenario: scenario.name)
def test_identifiers_depend_on_the_code_only(scenario: Scenario) -> None:
    first, second = ([event["Id"] for event in play(scenario).events if "SubType" in event] for _ in range(2))
    assert first == second


def test_the_events_of_an_execution_carry_its_id() -> None:
    execution = play(IN_MEMORY[0])
    ids = {event["EventType"]: event.get("Id") for event in execution.events if "SubType" not in event}
    own = execution.arn.rpartition("/")[2]
    assert ids == {"ExecutionStarted": own, "InvocationCompleted": None, "ExecutionSucceeded": own}
