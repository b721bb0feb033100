"""DESIGN 3.3, 3.13: the row is the queue; ended claims are taken over, and the dead invocation's end is written."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from execution_engine.journal import claims, connections
from execution_engine.journal.claims import Claimer
from execution_engine.models import Event, Execution, FunctionVersion
from execution_engine.services import executions


def versions() -> list[int]:
    return [FunctionVersion.objects.get(function="test-journal").id]


def take(connection: Any, limit: int = 100, **options: Any) -> list[UUID]:
    found = claims.claim(connection, Claimer(versions=versions(), worker=uuid4(), limit=limit, claim_seconds=30, **options))
    return [claim.execution_id for claim in found]


def test_claims_are_oldest_first_and_never_more_than_asked(connection: Any) -> None:
    started = [executions.start_execution("test-journal", "{}").id for _ in range(5)]

    assert take(connection, limit=2) == started[:2]
    assert take(connection, limit=9) == started[2:]
    assert take(connection) == []


def test_eight_claimers_never_take_the_same(connection: Any) -> None:
    executions.start_executions("test-journal", ["{}"] * 400)
    taken: list[UUID] = []

    def work() -> None:
        with connections.connect("claimer") as own:
            while found := take(own, limit=7):
                taken.extend(found)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken)) == 400


def test_only_versions_asked_for_are_claimed(connection: Any) -> None:
    executions.start_execution("test-journal", "{}")

    assert claims.claim(connection, Claimer(versions=[0], worker=uuid4(), limit=9, claim_seconds=30)) == []


def test_a_renewed_claim_is_kept_and_a_lost_one_is_told(connection: Any, claim_one: Callable[..., Any]) -> None:
    kept, _ = claim_one()
    lost, _ = claim_one()
    claims.take_over(connection, dead=Execution.objects.get(id=lost.execution_id).claimed_by)

    held = [(claim.execution_id, claim.claim_id) for claim in (kept, lost)]
    renewed, gone = claims.renew(connection, held, 30)

    assert (renewed, gone) == ({kept.execution_id}, {lost.execution_id})


def test_a_locked_claim_is_neither_renewed_nor_lost(connection: Any, claim_one: Callable[..., Any]) -> None:
    claim, _ = claim_one()
    with connections.connect("blocker") as blocker, blocker.transaction():
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [claim.execution_id])
        assert claims.renew(connection, [(claim.execution_id, claim.claim_id)], 30) == (set(), set())


def test_the_dead_invocations_end_is_written_by_the_takeover(connection: Any, claim_one: Callable[..., Any]) -> None:
    claim, _ = claim_one()

    assert claims.take_over(connection, dead=Execution.objects.get(id=claim.execution_id).claimed_by) == 1

    event = Event.objects.get(execution_id=claim.execution_id, event_id=2)
    assert event.type == "InvocationCompleted" and "Runtime.ExitError" in (event.error or "")
    row = Execution.objects.get(id=claim.execution_id)
    assert row.claim_id is None and row.is_suspect and row.failed_invocations == 0
    assert take(connection) == []
    assert take(connection, suspects=True, limit=1, alone=True) == [claim.execution_id]


def test_a_death_counts_only_when_the_execution_was_alone(connection: Any, claim_one: Callable[..., Any]) -> None:
    claim, _ = claim_one()
    for expected in (0, 1, 2):
        claims.take_over(connection, dead=Execution.objects.get(id=claim.execution_id).claimed_by)
        assert Execution.objects.get(id=claim.execution_id).failed_invocations == expected
        take(connection, suspects=True, limit=1, alone=True)


def test_an_ended_claim_waits_while_its_worker_is_seen(connection: Any, claim_one: Callable[..., Any]) -> None:
    """Only its database connection may be gone: it keeps the claim for the grace time, an unseen worker does not."""
    claim, _ = claim_one()
    worker = Execution.objects.get(id=claim.execution_id).claimed_by
    connection.execute("update durable_execution set due_at = clock_timestamp() - interval '1 s' where id = %s", [claim.execution_id])
    connection.execute(
        "insert into durable_worker (boot_id, host, pid, parent_pid, process_started_at, started_at, seen_at, threads, in_flight,"
        " lost_threads, is_draining, version_ids) values (%s, 'h', 1, 1, '', now(), now(), 1, 0, 0, false, '[]')",
        [worker],
    )
    assert claims.take_over(connection, versions=versions(), worker=uuid4()) == 0

    connection.execute("update durable_worker set seen_at = now() - interval '20 s'")
    assert claims.take_over(connection, versions=versions(), worker=worker, mine=[claim.claim_id]) == 0
    assert claims.take_over(connection, versions=versions(), worker=uuid4()) == 1


def test_a_worker_takes_over_what_it_claimed_and_lost_track_of(connection: Any, claim_one: Callable[..., Any]) -> None:
    """The answer of the claim statement was lost, say: with one worker nobody else would ever come."""
    claim, _ = claim_one()
    worker = Execution.objects.get(id=claim.execution_id).claimed_by
    assert claims.take_over(connection, versions=versions(), worker=worker, mine=[]) == 0, "not before the claim ends"
    connection.execute("update durable_execution set due_at = clock_timestamp() - interval '1 s' where id = %s", [claim.execution_id])

    assert claims.take_over(connection, versions=versions(), worker=worker, mine=[uuid4()]) == 1

    row = Execution.objects.get(id=claim.execution_id)
    assert (row.claim_id, row.is_suspect) == (None, False), "nothing died"


def test_claims_handed_back_make_no_suspects(connection: Any, claim_one: Callable[..., Any]) -> None:
    claim, _ = claim_one()

    claims.take_over(connection, dead=Execution.objects.get(id=claim.execution_id).claimed_by, are_suspects=False)

    assert take(connection) == [claim.execution_id]
    assert Event.objects.get(execution_id=claim.execution_id, event_id=2).error is None
