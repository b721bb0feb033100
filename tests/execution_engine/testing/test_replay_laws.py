"""Replay laws over random functions: what a crash, a replay, a redrive or another order of news must not change."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from execution_engine.core.enums import InvocationStatus
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest, RecordedExecution, replay
from tests.execution_engine.testing.generated import CHILD, PROGRAMS, Player, Program

pytestmark = pytest.mark.django_db
quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
# On a database a failing example is shown as it was found: shrinking it would take minutes.
slow = settings(quick, max_examples=12, phases=(Phase.explicit, Phase.generate))


def start(player: Player, *, database: bool = False, crash: int | None = None, before: bool = False) -> ExecutionUnderTest:
    """Runs it to its end: callbacks are answered as they are named, time is skipped."""
    client = DurableExecutionTestClient(database=database)
    client.register_function(player.play_child, CHILD)
    if crash is not None:
        (client.crash_before_checkpoints if before else client.crash_after_checkpoints)(crash)
    return finish(client.start_execution(player))


def finish(execution: ExecutionUnderTest) -> ExecutionUnderTest:
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


def nothing_changes(program: list[Program], *, database: bool) -> None:
    player = Player(program)
    execution = start(player, database=database)
    assert execution.status == "SUCCEEDED", execution.error
    bodies = dict(player.bodies)
    outcome = replay(player, RecordedExecution.from_json(execution.record().to_json()))
    assert (outcome.status, outcome.result) == (InvocationStatus.SUCCEEDED, execution.result_text)
    assert player.bodies == bodies


@quick
@given(PROGRAMS)
def test_replaying_an_unchanged_journal_changes_nothing(program: list[Program]) -> None:
    nothing_changes(program, database=False)


@slow
@given(PROGRAMS)
def test_replaying_what_the_database_holds_changes_nothing(program: list[Program]) -> None:
    nothing_changes(program, database=True)


def a_crash_changes_nothing(program: list[Program], crash: int, *, before: bool, database: bool) -> None:
    calm, crashed = Player(program), Player(program)
    expected, found = start(calm), start(crashed, crash=crash, before=before, database=database)
    assert found.status == "SUCCEEDED", found.error
    assert set(shape(found)) == set(shape(expected))
    if "True" not in str(program):  # an interrupted at-most-once step may end otherwise
        assert crashed.seen == calm.seen
    assert all(count <= 2 for count in crashed.bodies.values())


@quick
@given(PROGRAMS, st.integers(1, 12), st.booleans())
def test_a_crash_at_any_checkpoint_gives_the_same_values(program: list[Program], crash: int, before: bool) -> None:
    a_crash_changes_nothing(program, crash, before=before, database=False)


@slow
@given(PROGRAMS, st.integers(1, 12), st.booleans())
def test_a_crash_at_any_checkpoint_of_the_database_gives_the_same_values(program: list[Program], crash: int, before: bool) -> None:
    a_crash_changes_nothing(program, crash, before=before, database=True)


@slow
@given(PROGRAMS)
def test_the_database_gives_the_same_as_memory(program: list[Program]) -> None:
    memory, database = Player(program), Player(program)
    in_memory, on_database = start(memory), start(database, database=True)
    assert shape(on_database) == shape(in_memory)
    assert database.seen == memory.seen


@quick
@given(PROGRAMS)
def test_ids_depend_on_the_order_of_calls_only(program: list[Program]) -> None:
    """Other names, another concurrency, another time: the same ids in the same places."""
    one, other = Player(program), Player(program, prefix="renamed", max_concurrency=1)
    ids = [{o.id: (o.type, o.sub_type, o.parent_id) for o in start(player).operations} for player in (one, other)]
    assert ids[0] == ids[1]


def redrive_keeps_what_finished(program: list[Program], choice: int, *, database: bool) -> None:
    """Some step that ended well is broken for good; repaired and redriven, the end is that of a calm run."""
    calm = Player(program)
    expected = start(calm)
    steps = sorted(path for path in calm.bodies if "!" not in path)
    assume(steps)
    player = Player(program, broken={steps[choice % len(steps)]})
    execution = start(player, database=database)
    assert (execution.status, execution.error and execution.error.message) == ("FAILED", "broken for good")
    before = execution.events
    player.broken.clear()
    execution.redrive()
    assert finish(execution).status == "SUCCEEDED", execution.error
    assert execution.events[: len(before)] == before
    assert player.bodies == calm.bodies, "each body returned once"
    assert player.seen == calm.seen
    assert {key: value[:4] for key, value in shape(execution).items()} == {key: value[:4] for key, value in shape(expected).items()}


@quick
@given(PROGRAMS, st.integers(0, 20))
def test_a_redrive_runs_nothing_again_that_finished(program: list[Program], choice: int) -> None:
    redrive_keeps_what_finished(program, choice, database=False)


@slow
@given(PROGRAMS, st.integers(0, 20))
def test_a_redrive_on_the_database_runs_nothing_again_that_finished(program: list[Program], choice: int) -> None:
    redrive_keeps_what_finished(program, choice, database=True)
