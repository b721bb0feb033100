"""DESIGN 3.5, 3.6, 3.9, 3.10: what a write under a claim may do, and what becomes of it when something comes between."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import ErrorObject
from execution_engine.journal import claims, connections
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import executions
from tests.execution_engine.journal.moves import checkpoint, hold, step
from tests.waiting import PATIENCE, wait_until

Claimed = Callable[..., Any]


def events_of(execution_id: UUID) -> list[str]:
    return list(Event.objects.filter(execution_id=execution_id).order_by("event_id").values_list("type", flat=True))


def test_a_write_after_stop_is_refused_and_its_caller_unwinds(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    _, lane = claim_one()
    writer = make_writer()
    checkpoint(writer, lane, step("START"))

    executions.stop_execution(lane.execution_id, ErrorObject(message="enough"))

    with pytest.raises(ClaimLostError):
        checkpoint(writer, lane, step("SUCCEED", payload="1"))
    assert events_of(lane.execution_id) == ["ExecutionStarted", "StepStarted", "InvocationCompleted", "ExecutionStopped"]
    assert Operation.objects.get(execution_id=lane.execution_id).status == "STARTED"


def test_a_write_with_an_old_claim_is_refused(claim_one: Claimed, make_writer: Callable[..., Any], connection: Any) -> None:
    _, lane = claim_one()
    writer = make_writer()
    dead = Execution.objects.get(id=lane.execution_id).claimed_by
    assert claims.take_over(connection, dead=dead, are_suspects=False) == 1
    claim_one(lane.execution_id)

    with pytest.raises(ClaimLostError):
        checkpoint(writer, lane, step("START"))
    assert not Operation.objects.filter(execution_id=lane.execution_id).exists()


def test_no_success_after_the_deadline(claim_one: Claimed, make_writer: Callable[..., Any], connection: Any) -> None:
    _, lane = claim_one()
    writer = make_writer()
    lane.has_begun = True
    connection.execute("update durable_execution set deadline_at = clock_timestamp() where id = %s", [lane.execution_id])

    with pytest.raises(ClaimLostError):
        checkpoint(writer, lane, step("START"))
    assert Execution.objects.get(id=lane.execution_id).status == "TIMED_OUT"
    assert events_of(lane.execution_id)[-2:] == ["InvocationCompleted", "ExecutionTimedOut"]


def test_a_locked_execution_does_not_delay_the_others(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer()
    _, blocked = claim_one()
    _, free = claim_one()
    with connections.connect("blocker") as blocker, blocker.transaction():
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [blocked.execution_id])
        waiting = threading.Thread(target=checkpoint, args=(writer, blocked, step("START")))
        waiting.start()
        for number in range(20):
            checkpoint(writer, free, step("START", f"s{number}"))
        assert waiting.is_alive()
    waiting.join(PATIENCE)

    assert not waiting.is_alive()
    assert Operation.objects.filter(execution_id=blocked.execution_id).count() == 1


def test_nothing_overtakes_a_skipped_update(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """The skipped update waits for its lock; what the same execution records later waits behind it, and order stays."""
    writer = make_writer()
    _, lane = claim_one()
    with connections.connect("blocker") as blocker, blocker.transaction():
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [lane.execution_id])
        threads = [threading.Thread(target=checkpoint, args=(writer, lane, step("START", f"s{n}"))) for n in range(3)]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(lambda number=number: len(lane.under_way) + len(lane.queue) == number)  # type: ignore[misc]
    for thread in threads:
        thread.join(PATIENCE)

    found = Operation.objects.filter(execution_id=lane.execution_id).order_by("start_event").values_list("id", flat=True)
    assert list(found) == ["s0", "s1", "s2"]


def test_a_large_update_goes_alone_and_keeps_its_place(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    writer = make_writer(flush_bytes=1024)
    _, lane = claim_one()
    hold(writer, lane, step("START"))
    checkpoint(writer, lane, step("SUCCEED", payload="x" * 5000))

    assert writer.flushes == 0
    assert events_of(lane.execution_id) == ["ExecutionStarted", "StepStarted", "StepSucceeded"]


def test_one_update_that_cannot_be_stored_fails_no_neighbour(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """PostgreSQL refuses NUL in a text: the whole shared statement fails, and each of its executions is then written alone."""
    writer = make_writer()
    lanes = [claim_one()[1] for _ in range(3)]
    entries = [lane.apply((step("START"), step("SUCCEED", payload="\x00" if number == 1 else "1"))) for number, lane in enumerate(lanes)]
    for lane in lanes:
        writer.submit(lane)

    entries[0].wait()
    entries[2].wait()
    with pytest.raises(ClaimLostError):
        entries[1].wait()
    assert Operation.objects.filter(status="SUCCEEDED").count() == 2


def test_a_value_that_cannot_be_packed_fails_no_neighbour(claim_one: Claimed, make_writer: Callable[..., Any]) -> None:
    """Nothing but the journal's own bug or an unchecked value can cause it, and it must not end the writer's thread."""
    writer = make_writer()
    lanes = [claim_one()[1] for _ in range(3)]
    entries = [lane.apply((step("START"), step("SUCCEED", payload="1"))) for lane in lanes]
    lanes[1].attributes["bad"] = object()
    for lane in lanes:
        writer.submit(lane)

    entries[0].wait()
    entries[2].wait()
    with pytest.raises(ClaimLostError):
        entries[1].wait()
    checkpoint(writer, lanes[0], step("START", "s2"))


class ReplyLost:
    """A real connection whose replies to the journal are lost, after or before the statement has been committed."""

    def __init__(self, *, after_commit: bool) -> None:
        self.after_commit = after_commit
        self.cuts = 1

    def __call__(self, purpose: str, **options: Any) -> Any:
        connection = connections.connect(purpose, **options)
        execute = connection.execute

        def cut(query: Any, *args: Any, **kwargs: Any) -> Any:
            if purpose == "writer" and self.cuts:
                self.cuts -= 1
                if self.after_commit:
                    execute(query, *args, **kwargs)
                connection.close()
                raise psycopg.OperationalError("the reply was lost")
            return execute(query, *args, **kwargs)

        connection.execute = cut  # type: ignore[method-assign]
        return connection


@pytest.mark.parametrize("after_commit", [True, False])
def test_an_unknown_outcome_is_looked_up_under_the_lock(claim_one: Claimed, make_writer: Callable[..., Any], after_commit: bool) -> None:
    _, lane = claim_one()
    writer = make_writer(ReplyLost(after_commit=after_commit))

    checkpoint(writer, lane, step("START"), step("SUCCEED", payload="1"))
    checkpoint(writer, lane, step("START", "s2"))

    assert events_of(lane.execution_id) == ["ExecutionStarted", "StepStarted", "StepSucceeded", "StepStarted"]
    assert lane.checkpoint_seq == Execution.objects.get(id=lane.execution_id).checkpoint_seq == 2
