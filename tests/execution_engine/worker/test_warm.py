"""Suspended executions stay in a worker's memory, as long as it is what the rows say."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.core.identifiers import operation_id
from execution_engine.journal.lane import Entry, Release
from execution_engine.journal.warm import RECORD_BYTES, WarmHistories
from execution_engine.journal.writer import Writer
from execution_engine.models import Execution
from execution_engine.services import callbacks, executions, redrive
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.journal.conftest import claim_one, connection, make_writer  # noqa: F401
from tests.execution_engine.journal.moves import checkpoint, step
from tests.execution_engine.worker.test_runtime import pending_callback
from tests.waiting import PATIENCE, wait_until

STEPS = 40
BODIES: list[str] = []


@durable_execution(name="test-warm")
def many_steps_and_questions(event: Any, context: DurableContext) -> list[Any]:
    values = [context.step(lambda n=n: n, name=f"s{n}") for n in range(STEPS)]
    first = context.create_callback(name="first").result()
    context.step("between", lambda: BODIES.append("between"))
    second = context.create_callback(name="second").result()
    return [sum(values), first, second]


@pytest.fixture(autouse=True)
def no_bodies() -> None:
    BODIES.clear()


def remembered(runtime: Runtime) -> None:
    """Once the suspension is in memory: the thread that wrote it goes on a moment later."""
    wait_until(lambda: len(runtime.warm))
    assert len(runtime.warm) == 1


def test_a_resume_reads_only_what_is_new(runtime: Runtime) -> None:
    handle = many_steps_and_questions.start()
    for answer in ("yes", "no"):
        callback_id = pending_callback(handle.id)
        remembered(runtime)
        before = runtime.pump.operations_read
        callbacks.succeed_callback(callback_id, answer)
        while Execution.objects.get(id=handle.id).told_seq < (1 if answer == "yes" else 2) and handle.status() == "RUNNING":
            time.sleep(0.01)
        assert runtime.pump.operations_read - before == 1

    assert handle.result(timeout=PATIENCE) == [sum(range(STEPS)), "yes", "no"]
    assert BODIES == ["between"]
    assert len(runtime.warm) == 0 and runtime.warm.size == 0


def test_a_redrive_that_removes_operations_is_not_overlooked(runtime: Runtime) -> None:
    """The stop leaves the memory of the suspension; the redrive takes rows away, which no higher wake_seq would tell."""
    handle = many_steps_and_questions.start()
    callbacks.succeed_callback(pending_callback(handle.id), "yes")
    callback_id = pending_callback(handle.id)
    remembered(runtime)
    executions.stop_execution(handle.id)
    before = runtime.pump.operations_read

    redrive.redrive_execution(handle.id, from_operation=operation_id(None, STEPS + 2))
    new_id = pending_callback(handle.id)

    assert runtime.pump.operations_read - before >= STEPS
    assert new_id != callback_id
    assert BODIES == ["between", "between"]
    callbacks.succeed_callback(new_id, "again")
    assert handle.result(timeout=PATIENCE) == [sum(range(STEPS)), "yes", "again"]


Claimed = Callable[..., Any]


def suspended(writer: Writer, claim_one: Claimed, **options: Any) -> tuple[Any, Any]:  # noqa: F811
    """A claimed execution that wrote one step and gave its claim back, due again at once."""
    claim, lane = claim_one(**options)
    checkpoint(writer, lane, step("START", f"s{claim.invocations}"))
    entry = lane.close(Entry([], lane.clock.now(), release=Release(due_at=lane.clock.now())))
    writer.submit(lane)
    entry.wait()
    return claim, lane


def test_memory_holds_until_somebody_else_wrote(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:  # noqa: F811
    warm, writer = WarmHistories(10, 10_000_000), make_writer()
    claim, lane = suspended(writer, claim_one)
    warm.keep(claim, lane)
    again, other_lane = suspended(writer, claim_one, execution_id=claim.execution_id)  # another child, in between
    warm.keep(claim, lane)
    third, _ = claim_one(claim.execution_id)

    assert again.checkpoint_seq == lane.checkpoint_seq
    assert warm.take(third) is None
    warm.keep(again, other_lane)
    memory = warm.take(third)
    assert memory is not None and set(memory.operations) == {"s1", "s2"}


@pytest.mark.parametrize("field", ["redrive_count", "version_id", "checkpoint_seq"])
def test_memory_of_another_past_is_not_used(field: str, claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:  # noqa: F811
    warm, writer = WarmHistories(10, 10_000_000), make_writer()
    claim, lane = suspended(writer, claim_one)
    next_claim, _ = claim_one(claim.execution_id)
    warm.keep(claim, lane)
    assert warm.take(replace(next_claim, **{field: getattr(next_claim, field) + 1})) is None
    assert warm.take(next_claim) is None, "forgotten with the first look"
    warm.keep(claim, lane)
    assert warm.take(next_claim) is not None


def test_what_was_not_told_or_is_only_guessed_is_not_remembered(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:  # noqa: F811
    warm, writer = WarmHistories(10, 10_000_000), make_writer()
    claim, lane = claim_one()
    checkpoint(writer, lane, step("START"))
    warm.keep(claim, lane)
    entry = lane.close(Entry([], lane.clock.now(), release=Release(due_at=lane.clock.now(), is_owed=True)))
    writer.submit(lane)
    entry.wait()
    warm.keep(claim, lane)
    assert len(warm) == 0


def test_memory_is_bounded_by_count_and_bytes(claim_one: Claimed, make_writer: Callable[..., Writer]) -> None:  # noqa: F811
    writer = make_writer()
    claim, lane = suspended(writer, claim_one)
    others = [replace(claim, execution_id=other) for other in (claim.claim_id, claim.invocation_id)]
    bounds = ((2, 10**6), (10, 2 * RECORD_BYTES), (0, 10**6), (10, RECORD_BYTES - 1))
    few, small, none, tight = (WarmHistories(*each) for each in bounds)
    for warm in (few, small, none, tight):
        for one in (claim, *others):
            warm.keep(one, lane)
    assert [len(warm) for warm in (few, small, none, tight)] == [2, 2, 0, 0]
    assert few.size == 2 * RECORD_BYTES
    assert few.take(claim) is None, "the one suspended longest ago went first"
