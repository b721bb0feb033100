"""Every derived state by its own example, and the agreement of the derivation in Python with the one in SQL."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.executions import get_execution, list_executions
from execution_engine.selectors.explain import DerivedState, StateCode
from execution_engine.selectors.search import ExecutionFilters
from tests.factories import ago, make_callback, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> FunctionVersion:
    found = make_version()
    make_worker(found)
    return found


def state_of(execution: Execution) -> DerivedState:
    return get_execution(execution.id).summary.state


@pytest.mark.parametrize(
    ("status", "code", "label"),
    [
        ("SUCCEEDED", StateCode.SUCCEEDED, "Succeeded"),
        ("FAILED", StateCode.FAILED, "Failed"),
        ("TIMED_OUT", StateCode.TIMED_OUT, "Timed out"),
        ("STOPPED", StateCode.STOPPED, "Stopped"),
    ],
)
def test_ended_execution_shows_how_it_ended(version: FunctionVersion, status: str, code: StateCode, label: str) -> None:
    ended_at = ago(seconds=5)
    state = state_of(make_execution(version, status=status, ended_at=ended_at))
    assert (state.code, state.label, state.since) == (code, label, ended_at)


def test_five_failed_invocations_are_told_from_an_error_of_the_code(version: FunctionVersion) -> None:
    given_up = make_execution(version, status="FAILED", ended_at=ago(seconds=5), failed_invocations=5)
    assert state_of(given_up).sentence == "5 invocations in a row failed; the error tells how the last one ended."


@pytest.mark.parametrize("status", ["PAUSED", "PAUSING"])
def test_paused_execution_waits_for_a_person(version: FunctionVersion, status: str) -> None:
    assert state_of(make_execution(version, status=status)).code is StateCode.PAUSED


def test_new_execution_is_queued(version: FunctionVersion) -> None:
    due_at = ago(seconds=2)
    state = state_of(make_execution(version, due_at=due_at, invocations=0))
    assert (state.code, state.label, state.since) == (StateCode.QUEUED, "Queued", due_at)
    assert "first invocation" in state.sentence


def test_claimed_execution_names_the_step_it_runs(version: FunctionVersion) -> None:
    execution = make_execution(version, claim_id=uuid4(), due_at=ago(seconds=-20), invocation_started_at=ago(seconds=9))
    make_operation(execution, name="charge", attempt=1)
    state = state_of(execution)
    assert (state.code, state.label) == (StateCode.RUNNING, "Running charge")
    assert state.sentence == "A worker runs step charge, attempt 2."


def test_claim_that_ended_is_about_to_be_taken_over(version: FunctionVersion) -> None:
    state = state_of(make_execution(version, claim_id=uuid4(), due_at=ago(seconds=3)))
    assert state.code is StateCode.RUNNING
    assert "take it over" in state.sentence


def test_waiting_execution_says_until_when(version: FunctionVersion) -> None:
    until = ago(hours=-3)
    execution = make_execution(version, due_at=until)
    make_operation(execution, "WAIT", name="cool-down", due_at=until)
    state = state_of(execution)
    assert (state.code, state.until, state.operation) == (StateCode.WAITING, until, "cool-down")


def test_waiting_for_callback_names_it_as_its_author_does(version: FunctionVersion) -> None:
    execution = make_execution(version, due_at=None)
    make_callback(execution, "manager create callback id")
    assert state_of(execution).label == "Waiting for callback manager"


def test_waiting_for_signal_names_the_signal(version: FunctionVersion) -> None:
    execution = make_execution(version)
    make_operation(execution, "CALLBACK", sub_type="Signal", name="review", options={"signal": "fraud-review"})
    state = state_of(execution)
    assert (state.code, state.label) == (StateCode.WAITING_FOR_SIGNAL, "Waiting for signal fraud-review")


def test_retrying_step_says_which_attempt_comes(version: FunctionVersion) -> None:
    due_at = ago(seconds=-40)
    execution = make_execution(version, due_at=due_at)
    make_operation(execution, status="PENDING", name="pay", attempt=2, due_at=due_at)
    state = state_of(execution)
    assert (state.code, state.label, state.until) == (StateCode.RETRYING, "Retrying pay, attempt 3", due_at)


def test_failed_invocation_is_retrying(version: FunctionVersion) -> None:
    state = state_of(make_execution(version, due_at=ago(seconds=-4), failed_invocations=2))
    assert (state.code, state.label) == (StateCode.RETRYING, "Retrying the invocation")


def test_poll_is_no_trouble(version: FunctionVersion) -> None:
    execution = make_execution(version, due_at=ago(seconds=-4))
    make_operation(execution, status="PENDING", sub_type="WaitForCondition", name="export", attempt=4)
    assert state_of(execution).label == "Polling export"


def test_invoked_child_is_waited_for(version: FunctionVersion) -> None:
    execution = make_execution(version)
    make_operation(execution, "CHAINED_INVOKE", name="ship")
    assert state_of(execution).code is StateCode.WAITING_FOR_CHILD


def test_trouble_comes_before_people_and_others_are_counted(version: FunctionVersion) -> None:
    execution = make_execution(version, due_at=ago(seconds=-4))
    make_callback(execution)
    make_operation(execution, status="PENDING", name="a", attempt=1, due_at=ago(seconds=-9))
    make_operation(execution, status="PENDING", name="b", attempt=1, due_at=ago(seconds=-4))
    assert state_of(execution).label == "Retrying b, attempt 2 and 1 more"


def test_due_execution_that_nobody_serves_is_stranded() -> None:
    state = state_of(make_execution(make_version(version="3"), due_at=ago(seconds=5)))
    assert (state.code, state.label) == (StateCode.STRANDED, "Stranded: nobody serves version 3")


def test_claim_of_a_dead_worker_strands_when_nobody_else_serves() -> None:
    state = state_of(make_execution(make_version(), claim_id=uuid4(), due_at=ago(seconds=5)))
    assert state.code is StateCode.STRANDED


def test_waiting_execution_that_nobody_serves_waits_with_a_warning() -> None:
    execution = make_execution(make_version())
    make_callback(execution)
    state = state_of(execution)
    assert state.code is StateCode.WAITING_FOR_CALLBACK
    assert "No live worker serves version 1" in state.sentence


@pytest.mark.parametrize("fields", [{"seen_at": ago(seconds=60)}, {"is_draining": True}])
def test_silent_and_draining_workers_serve_nothing(fields: dict[str, object]) -> None:
    version = make_version()
    make_worker(version, **fields)
    assert state_of(make_execution(version, due_at=ago(seconds=5))).code is StateCode.STRANDED


def test_filter_in_sql_agrees_with_the_derivation(version: FunctionVersion) -> None:
    """Random rows, also impossible ones: each is found under its own state and under no other."""
    chance = random.Random(7)
    unserved = make_version(version="2")
    for _ in range(190):
        make_random_execution(chance, chance.choice([version, unserved]))
    make_operation(make_execution(version, due_at=ago(hours=-1)), status="PENDING", sub_type="WaitForCondition")
    found = {item.id: item.state.code for item in list_executions(ExecutionFilters(), limit=200).items}
    by_sql = {item.id: code for code in StateCode for item in list_executions(ExecutionFilters(state=code), limit=200).items}
    assert by_sql == found
    assert len(set(found.values())) == len(StateCode)


def make_random_execution(chance: random.Random, version: FunctionVersion) -> None:
    status = chance.choice(["RUNNING"] * 12 + ["PAUSED", "PAUSING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"])
    now = datetime.now(UTC)
    execution = make_execution(
        version,
        status=status,
        ended_at=now if status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED") else None,
        due_at=chance.choice([None, now - timedelta(minutes=5), now + timedelta(minutes=5), now + timedelta(minutes=5)]),
        claim_id=uuid4() if chance.random() < 0.2 else None,
        failed_invocations=1 if chance.random() < 0.1 else 0,
    )
    kinds = ["STEP", "WAIT", "CALLBACK", "CONTEXT", "CHAINED_INVOKE"]
    for _ in range(chance.choice([0, 1, 1, 2])):
        status = chance.choice(["STARTED", "PENDING", "READY", "SUCCEEDED"])
        sub_type = chance.choice([None, "Step", "Signal", "WaitForCondition"])
        options = chance.choice([None, {"timeout": 5}, {"approval": "c"}])
        make_operation(execution, chance.choice(kinds), status, sub_type=sub_type, options=options)
