"""What must hold of checkpoints from outside, whatever happens: each property raises AssertionError when it does not.

`test_checkpoint_safety.py` runs each over the product, and over the product without the guard that it is about.
"""

import contextlib
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from execution_engine.core.errors import CommandError, InvalidTokenError
from execution_engine.core.records import OperationUpdate
from execution_engine.journal import connections
from execution_engine.journal.replies import CheckpointReply
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import callbacks, checkpoints, executions, repairs
from tests.execution_engine.services.caller import Caller, callback, claim, context, step, update
from tests.waiting import wait_until

OUTSIDERS = "from pg_stat_activity where datname = current_database() and application_name = 'durable:outside'"
AT_ONCE = 6


def refused(arn: str, token: str, *updates: OperationUpdate, client_token: str | None = None) -> None:
    """The call is answered "Invalid checkpoint token"."""
    try:
        checkpoints.checkpoint(arn, token, updates, client_token)
    except InvalidTokenError as error:
        assert str(error) == "Invalid checkpoint token"
        return
    except CommandError as error:
        raise AssertionError(f"refused for another reason: {error}") from error
    raise AssertionError("the call was answered")


def count(caller: Caller, kind: str) -> int:
    return Event.objects.filter(execution_id=caller.id, type=kind).count()


def run_sql(text: str, caller: Caller) -> None:
    with connections.connect("test") as own:
        own.execute(text, {"id": caller.id})


def altered_tokens_are_refused() -> None:
    caller = claim()
    raw = bytearray(b64decode(str(caller.token)))
    for at in range(len(raw)):
        changed = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :])
        refused(caller.arn, b64encode(changed).decode(), step("START"))
    for text in ("", "x", "é", "====", b64encode(bytes(raw[:-1])).decode(), "A" * 2048):
        refused(caller.arn, text, step("START"))
    assert count(caller, "StepStarted") == 0


def tokens_of_others_are_refused() -> None:
    mine, other = claim(), claim()
    refused(mine.arn, str(other.token), step("START"))
    refused(other.arn.replace("test-outside", "test-other"), str(other.token), step("START"))
    assert count(mine, "StepStarted") == count(other, "StepStarted") == 0


def a_token_serves_once() -> None:
    caller = claim()
    first = str(caller.token)
    caller.call(step("START"))
    refused(caller.arn, first, step("START", "s2"))
    assert count(caller, "StepStarted") == 1


def a_lost_claim_records_nothing() -> None:
    caller = claim()
    run_sql("update durable_execution set claim_id = null, due_at = now() where id = %(id)s", caller)
    refused(caller.arn, str(caller.token), step("START"))
    successor = claim(caller.id)
    refused(caller.arn, str(caller.token), step("START"))
    successor.call(step("START"))
    assert count(caller, "StepStarted") == 1


def a_stopped_execution_records_nothing() -> None:
    caller = claim()
    executions.stop_execution(caller.id)
    refused(caller.arn, str(caller.token), step("START"))
    assert (count(caller, "StepStarted"), Execution.objects.get(id=caller.id).status) == (0, "STOPPED")


def after_the_deadline_it_is_timed_out() -> None:
    caller = claim()
    run_sql("update durable_execution set deadline_at = clock_timestamp() where id = %(id)s", caller)
    refused(caller.arn, str(caller.token), update("EXECUTION", "SUCCEED", "r", payload="1"))
    found = Execution.objects.get(id=caller.id)
    assert (found.status, found.result, found.claim_id) == ("TIMED_OUT", None, None)
    assert count(caller, "InvocationCompleted") == count(caller, "ExecutionTimedOut") == 1


def an_ended_execution_records_nothing() -> None:
    caller = claim()
    token = str(caller.token)
    caller.call(update("EXECUTION", "SUCCEED", "r", payload="1"))
    refused(caller.arn, token, update("EXECUTION", "FAIL", "r"))
    assert (Execution.objects.get(id=caller.id).status, count(caller, "ExecutionSucceeded")) == ("SUCCEEDED", 1)


def a_client_token_is_answered_the_same() -> None:
    caller = claim()
    token, moved = str(caller.token), (step("START"), callback(timeout=60))
    first = caller.call(*moved, client_token="once")
    callbacks.succeed_callback(str(caller.seen["c1"].callback_id), None)
    assert checkpoints.checkpoint(caller.arn, token, moved, "once") == first, "another answer"
    try:
        checkpoints.checkpoint(caller.arn, token, (step("START", "s2"),), "once")
    except InvalidTokenError as error:
        raise AssertionError("refused for its token, not for its client token") from error
    except CommandError as error:
        assert "used for another call" in str(error)
    caller.call(step("SUCCEED"), client_token="twice")
    assert (count(caller, "StepStarted"), count(caller, "StepSucceeded"), count(caller, "CallbackStarted")) == (1, 1, 1)


def an_old_client_token_is_forgotten() -> None:
    caller = claim()
    token = str(caller.token)
    caller.call(step("START"), client_token="once")
    run_sql("update durable_stored_reply set stored_at = stored_at - interval '15 minutes' where execution_id = %(id)s", caller)
    refused(caller.arn, token, step("START"), client_token="once")
    caller.call(step("SUCCEED"), client_token="once")
    assert count(caller, "StepSucceeded") == 1


def of_many_at_once_one_wins() -> None:
    caller = claim()
    token, barrier = str(caller.token), threading.Barrier(AT_ONCE)

    def attempt(number: int) -> int:
        barrier.wait()
        with contextlib.suppress(InvalidTokenError):
            checkpoints.checkpoint(caller.arn, token, (step("START", f"s{number}"),))
            return 1
        return 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        won = sum(pool.map(attempt, range(AT_ONCE)))
    assert (won, count(caller, "StepStarted"), Execution.objects.get(id=caller.id).checkpoint_seq) == (1, 1, 1)


def the_same_call_at_once_is_one_call() -> None:
    caller = claim()
    token, barrier = str(caller.token), threading.Barrier(AT_ONCE)

    def attempt(_: int) -> CheckpointReply | None:
        barrier.wait()
        with contextlib.suppress(InvalidTokenError):
            return checkpoints.checkpoint(caller.arn, token, (callback(),), "once")
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(attempt, range(AT_ONCE)))
    assert replies[0] is not None and all(reply == replies[0] for reply in replies)
    assert Operation.objects.filter(execution_id=caller.id).count() == 1


def a_change_during_a_call_is_told_once() -> None:
    """The call waits for the lock of whoever answers the callback: what that one commits is in its answer."""
    caller = claim()
    callback_id = str(caller.call(callback(), step("START")).operations[0].callback_id)
    found: list[CheckpointReply] = []
    calling = threading.Thread(target=lambda: found.append(caller.call(step("SUCCEED"))))
    with transaction.atomic():
        callbacks.succeed_callback(callback_id, '"yes"')
        calling.start()
        wait_until(lambda: waiting_for_a_lock() == 1)
    calling.join()
    told = [record.status for reply in (*found, caller.call()) for record in reply.operations if record.id == "c1"]
    assert told == ["SUCCEEDED"]
    assert Execution.objects.get(id=caller.id).answered_seq == 1


def waiting_for_a_lock() -> int:
    with connections.connect("test") as own:
        row = own.execute(f"select count(*) {OUTSIDERS} and wait_event_type = 'Lock'").fetchone()
    return int(row[0]) if row else 0


def a_lost_answer_is_found_again() -> None:
    """The server's process is killed after the COMMIT, before the answer; the client asks again, as its SDK does."""
    caller = claim()
    token, moved = str(caller.token), (step("START"), step("SUCCEED", payload="1"))
    pid = os.fork()
    if pid == 0:
        try:
            checkpoints.checkpoint(caller.arn, token, moved, "once")
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert count(caller, "StepSucceeded") == 1
    try:
        reply = caller.call(*moved, client_token="once")
    except InvalidTokenError as error:
        raise AssertionError("the answer is lost") from error
    assert [(record.id, record.status) for record in reply.operations] == [("s1", "SUCCEEDED")]
    caller.call(step("START", "s2"))
    assert (count(caller, "StepSucceeded"), count(caller, "StepStarted")) == (1, 2)


def a_cut_invocation_is_owed() -> None:
    caller = claim()
    run_sql("update durable_execution set told_seq = wake_seq where id = %(id)s", caller)
    repairs.pause_execution(caller.id)
    reply = caller.call(step("START"), step("SUCCEED", payload="1"))
    found = Execution.objects.get(id=caller.id)
    assert reply.token is None and reply.operations[0].status == "SUCCEEDED"
    assert found.wake_seq > max(found.told_seq, found.answered_seq), "nothing is owed"


def news_that_came_too_late_stays_owed() -> None:
    """Of a call that nobody waits for, and beside open branches: the handler may have looked before."""
    caller = claim()
    for number, opened in enumerate((step("START"), context("START", "m1", sub_type="Map")), start=1):
        caller.call(callback(f"c{number}"))
        callbacks.succeed_callback(str(caller.seen[f"c{number}"].callback_id), None)
        before = Execution.objects.get(id=caller.id).answered_seq
        assert [record.id for record in caller.call(opened).operations] == [opened.id], "news of a call that nobody waits for"
        if opened.id == "m1":
            assert [record.id for record in caller.call().operations] == [f"c{number}"]
            assert Execution.objects.get(id=caller.id).answered_seq == before, "told beside open branches"
        else:
            assert [record.id for record in caller.call().operations] == [f"c{number}"]
            assert Execution.objects.get(id=caller.id).answered_seq == number


def a_broken_connection_costs_no_answer() -> None:
    caller = claim()
    caller.call(step("START"))
    with connection.cursor() as cursor:
        cursor.execute(f"select pg_terminate_backend(pid) {OUTSIDERS}")
    caller.call(step("SUCCEED"), client_token=uuid4().hex)
    assert count(caller, "StepSucceeded") == 1


PROPERTIES: dict[str, Callable[[], Any]] = {
    found.__name__: found
    for found in (
        altered_tokens_are_refused,
        tokens_of_others_are_refused,
        a_token_serves_once,
        a_lost_claim_records_nothing,
        a_stopped_execution_records_nothing,
        after_the_deadline_it_is_timed_out,
        an_ended_execution_records_nothing,
        a_client_token_is_answered_the_same,
        an_old_client_token_is_forgotten,
        of_many_at_once_one_wins,
        the_same_call_at_once_is_one_call,
        a_change_during_a_call_is_told_once,
        a_lost_answer_is_found_again,
        a_cut_invocation_is_owed,
        news_that_came_too_late_stays_owed,
        a_broken_connection_costs_no_answer,
    )
}
