"""Checkpoints from outside: what an answer brings, what the rows and the history then hold."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection, transaction

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionBusyError, InvalidParameterValueError, InvalidTokenError
from execution_engine.core.records import ErrorObject, OperationOptions
from execution_engine.journal import connections, outside, store
from execution_engine.journal.outside import CONNECTIONS
from execution_engine.models import Execution
from execution_engine.services import callbacks, checkpoints, executions, repairs
from tests.execution_engine.services.caller import FUNCTION, Caller, callback, claim, context, invoke, step, update, wait

pytestmark = pytest.mark.usefixtures("no_connections_left")


@pytest.fixture
def caller() -> Caller:
    return claim()


def row(caller: Caller) -> Execution:
    return Execution.objects.get(id=caller.id)


def test_a_step_is_recorded_as_a_worker_would(caller: Caller, history: Callable[[UUID], list[str]]) -> None:
    started = caller.call(step("START", name="charge", sub_type="Step"))
    assert [(one.id, one.status, one.start_event) for one in started.operations] == [("s1", "STARTED", 2)]
    ended = caller.call(step("SUCCEED", payload='"ok"'), step("START", "s2"))
    assert [(one.id, one.status, one.attempt, one.payload) for one in ended.operations] == [
        ("s1", "SUCCEEDED", 1, '"ok"'),
        ("s2", "STARTED", 0, None),
    ]
    assert history(caller.id) == ["ExecutionStarted", "StepStarted", "StepSucceeded", "StepStarted"]
    assert row(caller).checkpoint_seq == 2


def test_a_retry_waits_and_is_ready_after_an_empty_call(caller: Caller) -> None:
    caller.call(step("START"), step("RETRY", error=ErrorObject("no", "Declined"), options=OperationOptions(delay=1)))
    assert caller.seen["s1"].status == "PENDING"
    pass_time(caller, 2)
    reply = caller.call()
    assert [(one.id, one.status) for one in reply.operations] == [("s1", "READY")]
    assert caller.call().operations == ()


def pass_time(caller: Caller, seconds: int) -> None:
    with connections.connect("test") as own:
        moved = "due_at = due_at - make_interval(secs => %(s)s), started_at = started_at - make_interval(secs => %(s)s)"
        own.execute(f"update durable_operation set {moved} where execution_id = %(id)s", {"s": seconds, "id": caller.id})


def test_an_empty_call_fires_what_is_due_once(caller: Caller, history: Callable[[UUID], list[str]]) -> None:
    caller.call(wait("w1", 1), wait("w2", 500), callback("c1", timeout=1))
    pass_time(caller, 2)
    reply = caller.call()
    assert {one.id: one.status for one in reply.operations} == {"w1": "SUCCEEDED", "c1": "TIMED_OUT"}
    caller.call()
    assert history(caller.id).count("WaitSucceeded") == history(caller.id).count("CallbackTimedOut") == 1
    assert row(caller).wake_seq == row(caller).answered_seq == 1


def test_a_result_ends_the_execution(caller: Caller, history: Callable[[UUID], list[str]]) -> None:
    reply = caller.call(step("START"), step("SUCCEED"), update("EXECUTION", "SUCCEED", "result-1", payload='{"a": 1}'))
    assert reply.token is None
    found = row(caller)
    assert (found.status, found.result, found.claim_id) == ("SUCCEEDED", '{"a": 1}', None)
    assert history(caller.id)[-2:] == ["InvocationCompleted", "ExecutionSucceeded"]


def test_a_failure_ends_the_execution(caller: Caller) -> None:
    caller.call(update("EXECUTION", "FAIL", "result-1", error=ErrorObject("gone", "Gone")))
    assert row(caller).status == "FAILED"
    assert '"Gone"' in str(row(caller).error)


def test_an_invoke_starts_its_child_in_the_same_commit(caller: Caller, history: Callable[[UUID], list[str]]) -> None:
    reply = caller.call(step("START"), invoke(FUNCTION), invoke("nobody-has-it", "i2"), step("START", "s2"))
    child = Execution.objects.get(parent_id=caller.id)
    assert (child.input, child.parent_operation_id, child.status) == ("1", "i1", "RUNNING")
    assert {one.id: str(one.status) for one in reply.operations} == {"s1": "STARTED", "i1": "STARTED", "i2": "FAILED", "s2": "STARTED"}
    assert [one.id for one in reply.operations] == ["s1", "i1", "i2", "s2"]
    assert history(caller.id)[1:] == [
        "StepStarted",
        "ChainedInvokeStarted",
        "ChainedInvokeStarted",
        "ChainedInvokeFailed",
        "StepStarted",
    ]


def test_news_is_brought_by_the_next_answer_once(caller: Caller) -> None:
    callback_id = caller.call(callback()).operations[0].callback_id
    assert callback_id is not None
    callbacks.succeed_callback(callback_id, '"yes"')
    # Nobody waits for a START of a step: its answer brings no news, which would come too late for who has looked already.
    assert [one.id for one in caller.call(step("START")).operations] == ["s1"]
    reply = caller.call(step("SUCCEED"))
    assert [(one.id, one.status, one.payload) for one in reply.operations] == [("c1", "SUCCEEDED", '"yes"'), ("s1", "SUCCEEDED", None)]
    assert row(caller).answered_seq == 1
    assert caller.call().operations == ()


def test_a_call_takes_two_round_trips(caller: Caller, tmp_path: Path) -> None:
    """As libpq traces what it sends: answers are asked for by a Flush inside the pipeline, and by the Sync at its end."""
    caller.call(step("START"), client_token="a")
    with CONNECTIONS.reading() as cursor:
        pgconn = cursor.connection.pgconn
    with (tmp_path / "sent").open("w") as file:
        pgconn.trace(file.fileno())
        caller.call(step("SUCCEED"), step("START", "s2"), client_token="b")
        pgconn.untrace()
    lines = [line.split("\t") for line in (tmp_path / "sent").read_text().splitlines()]
    sent = [line[3].split()[0] for line in lines if line[1] == "F"]
    assert sent.count("Execute") == len(("BEGIN", "lock", "look", "flush", "reply", "COMMIT"))
    assert sent.count("Sync") == 1
    assert sent[: sent.index("Sync")].count("Flush") == 1


def test_news_beside_open_branches_is_brought_and_stays_owed(caller: Caller) -> None:
    caller.call(context("START", "m1", sub_type="Map"), callback())
    callbacks.succeed_callback(str(caller.seen["c1"].callback_id), None)
    assert [one.id for one in caller.call().operations] == ["c1"]
    assert row(caller).answered_seq == -1
    assert caller.call(context("SUCCEED", "m1")).operations[0].id == "m1"
    caller.call()
    assert row(caller).answered_seq == 1


def test_a_pause_takes_the_token_and_owes_an_invocation(caller: Caller) -> None:
    repairs.pause_execution(caller.id)
    held = caller.call(step("START"))
    assert held.token is not None, "a step that began must run"
    cut = caller.call(step("SUCCEED", payload="1"))
    assert (cut.token, cut.operations[0].status) == (None, "SUCCEEDED")
    found = row(caller)
    assert found.status == ExecutionStatus.PAUSING
    assert found.wake_seq > max(found.told_seq, found.answered_seq)


def test_a_row_that_stays_locked_is_busy(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "LOCK_TIMEOUT_MS", 50)
    CONNECTIONS.close()
    with transaction.atomic(), connection.cursor() as cursor:
        store.lock(cursor, caller.id)
        with pytest.raises(ExecutionBusyError, match="call again"):
            caller.call(step("START"))
    assert caller.call(step("START")).operations[0].status == "STARTED"


def test_state_is_paged_in_order_of_start(caller: Caller) -> None:
    caller.call(*(step("START", f"s{number}") for number in range(7)))
    assert caller.token is not None
    first = checkpoints.state(caller.arn, caller.token, max_items=3)
    assert [one.type for one in first.operations] == ["EXECUTION", "STEP", "STEP"]
    assert (first.operations[0].id, first.operations[0].payload) == (str(caller.id), "{}")
    second = checkpoints.state(caller.arn, caller.token, first.marker, 3)
    third = checkpoints.state(caller.arn, caller.token, second.marker, 3)
    assert [one.id for one in (*first.operations[1:], *second.operations, *third.operations)] == [f"s{number}" for number in range(7)]
    assert third.marker is None
    assert len(checkpoints.state(caller.arn, caller.token).operations) == 8


def test_a_page_is_bounded_in_bytes(caller: Caller) -> None:
    text = "x" * 1_000_000
    for number in range(7):
        caller.call(step("START", f"s{number}"), step("SUCCEED", f"s{number}", payload=text))
    assert caller.token is not None
    page = checkpoints.state(caller.arn, caller.token)
    assert len(page.operations) == 7
    rest = checkpoints.state(caller.arn, caller.token, page.marker)
    assert ([one.id for one in rest.operations], rest.marker) == (["s6"], None)


@pytest.mark.parametrize("asked", [-1, 1001])
def test_max_items_is_bounded(caller: Caller, asked: int) -> None:
    assert caller.token is not None
    with pytest.raises(InvalidParameterValueError, match="MaxItems is from 0 to 1000"):
        checkpoints.state(caller.arn, caller.token, max_items=asked)


def test_state_refuses_what_is_not_current(caller: Caller) -> None:
    before = caller.token
    assert before is not None
    caller.call(step("START"))
    with pytest.raises(InvalidTokenError):
        checkpoints.state(caller.arn, before)
    assert caller.token is not None
    with pytest.raises(InvalidParameterValueError, match="Invalid marker"):
        checkpoints.state(caller.arn, caller.token, "bm9wZQ==")
    other = claim()
    assert other.token is not None
    for number in range(3):
        other.call(step("START", f"s{number}"))
    foreign = checkpoints.state(other.arn, str(other.token), max_items=1).marker
    with pytest.raises(InvalidParameterValueError, match="another execution"):
        checkpoints.state(caller.arn, caller.token, foreign)
    executions.stop_execution(caller.id)
    with pytest.raises(InvalidTokenError):
        checkpoints.state(caller.arn, caller.token)
