"""Recorded executions: kept as JSON, replayed without effects, pulled from production as a failing test."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from execution_engine import DurableContext, RetryPolicy, durable_execution
from execution_engine.core.enums import InvocationStatus
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution, ReplayDivergedError, replay

calls: list[str] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@durable_execution(name="testing-kit-recorded")
def recorded_function(event: dict[str, Any], context: DurableContext) -> list[Any]:
    first = context.step(lambda: calls.append("first") or {"card": "4111"}, name="first")
    try:
        context.step(lambda: 1 / 0, name="divides", retry=RetryPolicy(max_attempts=1))
    except Exception as error:
        first["error"] = type(error).__name__
    context.wait(30, name="pause")
    return [first, context.create_callback("person").result()]


def finished() -> RecordedExecution:
    execution = DurableExecutionTestClient().start_execution(recorded_function, {"n": 1})
    execution.run_until_complete()
    execution.get_pending_callbacks()[0].complete("yes")
    return execution.record()


def test_it_survives_its_file() -> None:
    recorded = finished()
    assert RecordedExecution.from_json(recorded.to_json()) == recorded


def test_a_replay_repeats_nothing_and_gives_the_same() -> None:
    recorded = finished()
    calls.clear()
    outcome = replay(recorded_function, recorded)
    assert (outcome.status, outcome.result) == (InvocationStatus.SUCCEEDED, recorded.result)
    assert calls == []


def test_the_edge_of_what_is_under_way_is_pending() -> None:
    execution = DurableExecutionTestClient().start_execution(recorded_function, {"n": 1})
    assert replay(recorded_function, execution.record()).status is InvocationStatus.PENDING


def test_another_order_diverges() -> None:
    def changed(event: dict[str, Any], context: DurableContext) -> str:
        context.wait(30, name="pause")
        return "changed"

    with pytest.raises(ReplayDivergedError, match="the history has STEP 'first', the code now asks for WAIT 'pause'"):
        replay(changed, finished())


def test_a_new_call_diverges() -> None:
    def longer(event: dict[str, Any], context: DurableContext) -> str:
        recorded_function(event, context)
        return context.step(lambda: "more", name="more")

    with pytest.raises(ReplayDivergedError, match=r"the code now asks for STEP 'more'.*has succeeded without it"):
        replay(longer, finished())


def test_payloads_can_be_masked() -> None:
    masked = finished().masked(lambda where, text: f"<{where}>" if where in ("first", "divides") else text)
    assert next(operation.payload for operation in masked.operations) == "<first>"
    assert masked.input == '{"n": 1}'
    (error,) = [operation.error for operation in masked.operations if operation.error]
    assert (error.message, error.type, set(error.stack_trace or ())) == ("<divides>", "ZeroDivisionError", {"<divides>"})


def mask(where: str, text: str) -> str:
    return text.replace("4111", "0000")


@durable_execution(name="testing-kit-broken")
def broken(event: dict[str, Any], context: DurableContext) -> int:
    context.step(lambda: calls.append("paid") or "card 4111", name="pay")
    return context.step(lambda: event["missing"], name="look up", retry=RetryPolicy(max_attempts=1))


def test_going_on_reopens_the_failure_and_repeats_nothing_else() -> None:
    recorded = DurableExecutionTestClient().start_execution(broken, {}).record()
    assert (recorded.status, calls) == ("FAILED", ["paid"])

    def repaired(event: dict[str, Any], context: DurableContext) -> int:
        context.step(lambda: calls.append("paid"), name="pay")
        return context.step(lambda: 1, name="look up")

    resumed = DurableExecutionTestClient().resume(repaired, recorded)
    assert (resumed.get_result(), calls) == (1, ["paid"])


@pytest.mark.django_db
def test_a_stored_execution_is_pulled_as_a_failing_test(tmp_path: Path) -> None:
    execution = DurableExecutionTestClient(database=True).start_execution(broken, {})
    call_command("pull_execution", execution.execution_id, output=tmp_path, mask=f"{__name__}.mask")
    (test,) = tmp_path.glob("test_*.py")
    (data,) = tmp_path.glob("test_*.json")
    assert "4111" not in data.read_text() and "0000" in data.read_text()

    found = run_pulled(tmp_path, test)
    assert "1 failed" in found.stdout and "StepError: 'missing'" in found.stdout, found.stdout + found.stderr


@pytest.mark.django_db
def test_a_good_execution_is_pulled_as_its_replay(tmp_path: Path) -> None:
    execution = DurableExecutionTestClient(database=True).start_execution(recorded_function, {"n": 1})
    execution.run_until_complete()
    execution.get_pending_callbacks()[0].complete("yes")
    call_command("pull_execution", execution.execution_id, output=tmp_path)
    (test,) = tmp_path.glob("test_*.py")
    found = run_pulled(tmp_path, test)
    assert "1 passed" in found.stdout, found.stdout + found.stderr
    (data,) = tmp_path.glob("test_*.json")
    data.write_text(data.read_text().replace("divides", "multiplies"))
    assert "1 failed" in run_pulled(tmp_path, test).stdout


@pytest.mark.django_db
def test_what_cannot_be_pulled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no execution"):
        call_command("pull_execution", UUID(int=1), output=tmp_path)
    execution = DurableExecutionTestClient(database=True).start_execution(recorded_function, {"n": 1})
    for mask in ("no.such.module", f"{__name__}.calls"):
        with pytest.raises(CommandError, match="--mask"):
            call_command("pull_execution", execution.execution_id, output=tmp_path, mask=mask)
    assert list(tmp_path.iterdir()) == []


def run_pulled(folder: Path, test: Path) -> "subprocess.CompletedProcess[str]":
    """As in the project it was pulled into: the command has written the import of the module that registers the function."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(test)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
    )
