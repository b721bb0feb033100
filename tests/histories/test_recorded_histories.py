"""Histories recorded once must replay on every change: a deploy must not break what is under way.

A file here is never edited. `RECORD_HISTORIES=1 pytest tests/histories` adds the journeys and kinds that have no file yet.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationSubType, OperationType
from execution_engine.core.transitions.redrive import Operations
from execution_engine.sdk.registry import find_function
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution, ReplayDivergedError, replay
from tests.durable_ops.examples.test_crashes import JOURNEYS, Journey
from tests.histories.kinds import KINDS, Kind

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
FILES = sorted(HERE.glob("*.json"))


def keep(path: Path, recorded: RecordedExecution) -> None:
    """Stack traces name files as the project does, wherever it was recorded."""
    path.write_text(recorded.to_json().replace(f"{REPOSITORY}/", "") + "\n")


def file_of(journey: Journey) -> Path:
    done = "-".join(sorted(journey.effects)) or "answered"
    return HERE / f"{journey.handler.name}-{done}.json"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_history_replays(path: Path) -> None:
    recorded = RecordedExecution.from_json(path.read_text())
    function = find_function(recorded.function, recorded.version)
    assert function is not None
    assert replay(function, recorded).status == InvocationStatus(recorded.status)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_beginning_of_it_replays_too(path: Path) -> None:
    """As it was at each moment before its end: what ended by then, in its order."""
    whole = RecordedExecution.from_json(path.read_text())
    function = find_function(whole.function, whole.version)
    assert function is not None
    operations = Operations(whole.operations)
    roots = [operation for operation in operations.children[None] if operation.ended_at is not None]
    for count in range(len(roots)):
        begun = [inner for root in roots[:count] for inner in (root, *operations.below(root.id))]
        part = dataclasses.replace(whole, status=ExecutionStatus.RUNNING, operations=begun, result=None, error=None)
        assert replay(function, part).status is InvocationStatus.PENDING


def test_a_changed_function_is_noticed() -> None:
    whole = RecordedExecution.from_json(FILES[0].read_text())

    def another(event: object, context: object) -> str:
        return "something else"

    with pytest.raises(ReplayDivergedError):
        replay(another, whole)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_operation_has_its_history(kind: Kind) -> None:
    path = HERE / f"{kind.name}.json"
    if "RECORD_HISTORIES" in os.environ and not path.exists():
        keep(path, kind.record().record())
    recorded = RecordedExecution.from_json(path.read_text())
    assert shape(kind.record().record()) == shape(recorded), "today's code records the same operations"


def test_no_kind_of_operation_is_missing() -> None:
    """A kind that is added to the engine needs its history here."""
    recorded = [o for path in FILES for o in RecordedExecution.from_json(path.read_text()).operations]
    assert {o.type for o in recorded} == set(OperationType) - {OperationType.EXECUTION}
    assert {o.sub_type for o in recorded} >= {str(sub_type) for sub_type in OperationSubType}


def shape(recorded: RecordedExecution) -> list[Any]:
    return [(o.id, o.type, o.sub_type, o.name, o.parent_id, o.status, o.attempt, o.replay_children) for o in recorded.operations]


@pytest.mark.parametrize("journey", JOURNEYS, ids=str)
@pytest.mark.django_db
@pytest.mark.usefixtures("shelf")
def test_every_example_has_its_history(journey: Journey) -> None:
    path = file_of(journey)
    if "RECORD_HISTORIES" in os.environ and not path.exists():
        execution = DurableExecutionTestClient().start_execution(journey.handler, journey.event)
        journey.people(execution)
        execution.run_until_complete()
        keep(path, execution.record())
    assert path.exists()
