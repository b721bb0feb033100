"""Replay laws over random functions: what a crash, a replay or another order of news must not change."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution_engine.core.enums import InvocationStatus
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest, replay
from tests.execution_engine.testing.generated import PROGRAMS, Player, Program

quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
slow = settings(quick, max_examples=12)


def run(player: Player, *, database: bool = False, crash_after: int | None = None) -> ExecutionUnderTest:
    """To its end: callbacks are answered as they are named, time is skipped."""
    client = DurableExecutionTestClient(database=database)
    if crash_after is not None:
        client.crash_after_checkpoints(crash_after)
    execution = client.start_execution(player)
    while not execution.run_until_complete().is_terminal:
        callback = execution.get_pending_callbacks()[0]
        if str(callback.name).startswith("fails"):
            callback.fail({"ErrorType": "Refused", "ErrorMessage": "no"})
        else:
            callback.complete("yes")
    return execution


def shape(execution: ExecutionUnderTest) -> dict[str, Any]:
    """What must be equal between two executions of one program."""
    return {o.id: (o.type, o.sub_type, o.name, o.parent_id, o.status, o.attempt) for o in execution.operations}


@quick
@given(PROGRAMS)
def test_replaying_an_unchanged_journal_changes_nothing(program: list[Program]) -> None:
    player = Player(program)
    execution = run(player)
    assert execution.status == "SUCCEEDED", execution.error
    bodies = dict(player.bodies)
    outcome = replay(player, execution.record())
    assert (outcome.status, outcome.result) == (InvocationStatus.SUCCEEDED, execution.result_text)
    assert player.bodies == bodies


@quick
@given(PROGRAMS, st.integers(1, 12))
def test_a_crash_at_any_checkpoint_gives_the_same_values(program: list[Program], crash_after: int) -> None:
    calm, crashed = Player(program), Player(program)
    expected, found = run(calm), run(crashed, crash_after=crash_after)
    assert found.status == "SUCCEEDED", found.error
    assert set(shape(found)) == set(shape(expected))
    if "True" not in str(program):  # an interrupted at-most-once step may end otherwise
        assert crashed.seen == calm.seen
    assert all(count <= 2 for count in crashed.bodies.values())


@slow
@given(PROGRAMS)
@pytest.mark.django_db
def test_the_database_gives_the_same_as_memory(program: list[Program]) -> None:
    memory, database = Player(program), Player(program)
    in_memory, on_database = run(memory), run(database, database=True)
    assert shape(on_database) == shape(in_memory)
    assert database.seen == memory.seen
