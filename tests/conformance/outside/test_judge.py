"""The judge itself: it must see what does not fit."""

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from execution_engine.testing import DurableExecutionTestClient
from tests.conformance import branch_functions
from tests.conformance.outside import loading
from tests.conformance.outside.__main__ import main
from tests.conformance.outside.laws import broken_laws
from tests.conformance.outside.lines import captured, log_differences
from tests.conformance.outside.matching import differences, filled, made_variables
from tests.conformance.outside.templates import Deployed, deployed_in

HANDLER = """
import os

from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.context import (
    DurableContext,
)
from aws_durable_execution_sdk_python.execution import durable_execution


@durable_execution
def handler(event, context: DurableContext) -> str:
    context.wait(Duration.from_seconds(1), name="pause")
    print(f"target {os.environ['TARGET_FUNCTION_NAME']}")
    return event
"""
TEMPLATE = """
Resources:
  Role: {Type: "AWS::IAM::Role"}
  Echo:
    Type: AWS::Serverless::Function
    Properties: {Handler: wait.pauses.handler, Role: !GetAtt Role.Arn, TenancyConfig: {TenantIsolationMode: PER_TENANT}}
  Pauses:
    Type: AWS::Serverless::Function
    TestingMetadata: {TestDescription: ["2-7", "2-8"]}
    Properties:
      Handler: wait.pauses.handler
      DurableConfig: {ExecutionTimeout: 300}
      Environment: {Variables: {TARGET_FUNCTION_NAME: !Sub "${Echo.Arn}:$LATEST"}}
"""
REQUIREMENT = """
Variables: {WORD: "${GEN_STR:6}"}
Input: ${WORD}
ExpectedResult: {ExecutionStatus: SUCCEEDED, Result: "${WORD}"}
ExpectedExecutionHistory:
  - {EventType: WaitStarted, SubType: Wait, EventId: 2, Id: "${ID}", Name: pause, WaitStartedDetails: {Duration: 1}}
  - {EventType: InvocationCompleted, EventId: 3, InvocationCompletedDetails: "*"}
  - {EventType: WaitSucceeded, EventId: 4, Id: "${ID}", WaitSucceededDetails: {Duration: 1}}
ExpectedLogs:
  - {match: {message: "/target arn:.*:Echo:/"}, count: 1}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "handlers" / "wait").mkdir(parents=True)
    (tmp_path / "handlers" / "wait" / "pauses.py").write_text(HANDLER)
    (tmp_path / "template_wait.yaml").write_text(TEMPLATE)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "2-7.yaml").write_text(REQUIREMENT)
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "found", "count"),
    [
        ("*", None, 0), ({}, [1], 0), ({"a": 1}, {"a": 1, "b": 2}, 0), ({"a": {}}, {}, 1), ({"a": None}, {}, 1), (1, True, 1),
        ("${/^ab/}", "abc", 0), ("${/^ab/}", "cab", 1), (["${X}", "${X}"], [1, 1], 0), (["${X}", "${X}"], [1, 2], 1),
        ("say ${WORD}", "say hello", 0), ("${WORD}", "other", 1), ([1], [1, 2], 1), ({"a": 1}, None, 1), ('"${WORD}"', '"hello"', 0),
    ],
)  # fmt: skip
def test_values_fit_or_do_not(wanted: Any, found: Any, count: int) -> None:
    assert len(list(differences(wanted, found, "here", {"WORD": "hello"}))) == count


def test_variables_are_made_and_filled_in() -> None:
    made = made_variables({"WORD": "${GEN_STR:9}", "NUMBER": 4})
    assert (len(made["WORD"]), made["NUMBER"]) == (9, 4)
    assert filled({"a": ["${NUMBER}", "x${WORD}"]}, made) == {"a": [4, f"x{made['WORD']}"]}


def history() -> list[dict[str, Any]]:
    execution = DurableExecutionTestClient().start_execution(branch_functions.named_items, 3)
    execution.run_until_complete()
    told: list[dict[str, Any]] = json.loads(json.dumps(execution.events, default=str))  # times as REST writes them: texts
    return told


def _drop_an_event(events: list[Any]) -> None:
    del events[3]


def _empty_name(events: list[Any]) -> None:
    events[1]["Name"] = None


def _end_twice(events: list[Any]) -> None:
    events.insert(-2, deepcopy(next(event for event in events if event["EventType"] == "WaitSucceeded")))


def _go_back(events: list[Any]) -> None:
    events[4]["EventTimestamp"] = "2001-01-01T00:00:00Z"


def _write_after_the_end(events: list[Any]) -> None:
    events.append(events.pop(-2))


def _overlap(events: list[Any]) -> None:
    late = [event for event in events if event["EventType"] == "InvocationCompleted"][1]
    late["InvocationCompletedDetails"]["StartTimestamp"] = "2001-01-01T00:00:00Z"


def test_a_true_history_breaks_no_law() -> None:
    assert list(broken_laws(history(), has_ended=True)) == []


@pytest.mark.parametrize("spoil", [_drop_an_event, _empty_name, _end_twice, _go_back, _write_after_the_end, _overlap])
def test_a_spoiled_history_breaks_one(spoil: Any) -> None:
    events = history()
    spoil(events)
    assert list(broken_laws(events, has_ended=True))


def test_templates_say_what_is_deployed(package: Path) -> None:
    echo, pauses = deployed_in(package)
    assert (echo.per_tenant, echo.durable, echo.requirements) == (True, False, ())
    assert pauses.variables == {"TARGET_FUNCTION_NAME": "arn:aws:lambda:us-east-1:000000000000:function:Echo:$LATEST"}
    assert (pauses.requirements, pauses.path) == (("2-7", "2-8"), package / "handlers" / "wait" / "pauses.py")


def test_without_templates_file_names_say_it(package: Path) -> None:
    folder = package / "handlers" / "wait"
    (folder / "conf_8_2.py").write_text(HANDLER)
    assert [(one.name, one.requirements) for one in deployed_in(folder)] == [("conf-8-2", ("8-2",)), ("pauses", ())]
    with pytest.raises(FileNotFoundError):
        deployed_in(package / "requirements")


def test_native_mode_replaces_import_lines_only(package: Path) -> None:
    deployed = Deployed("Pauses", package / "handlers" / "wait" / "pauses.py", variables={"TARGET_FUNCTION_NAME": "me"})
    module = loading.load(deployed, "native")
    assert module.handler.__class__.__module__.startswith("execution_engine.")
    assert module.os.environ["TARGET_FUNCTION_NAME"] == "me" and module.os.sep


def test_lines_are_counted_per_execution(tmp_path: Path) -> None:
    path = tmp_path / "functions.jsonl"
    lines = [
        {"executionArn": "a", "message": "first"},
        {"executionArn": "a", "message": '{"hook": "end"}'},
        {"executionArn": "b", "message": "first"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    found = captured(path, "a")
    fits = {"match": {"hook": "end"}, "count": 1, "after": [{"message": "/^first$/"}]}
    assert list(log_differences([fits], found, {})) == []
    wrong = [{"match": {"message": "/first/"}, "count": 2}, {"match": {"message": "first"}, "after": [{"hook": "end"}]}]
    assert len(list(log_differences(wrong, found, {}))) == 2


@pytest.mark.slow
def test_the_command_judges_the_served_product(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiled = REQUIREMENT.replace("Duration: 1", "Duration: 2")
    (package / "requirements" / "2-8.yaml").write_text(spoiled)
    where = ["--requirements", str(package / "requirements"), "--handlers", str(package), "--mode", "native"]
    assert main([*where, "--only", "2-7"]) == 0
    assert main(where) == 1
    told = capsys.readouterr().out
    assert "native: 1 of 1" in told and "native: 1 of 2" in told
    assert "native 2-8: event 2.WaitStartedDetails.Duration: 1, not 2" in told, sys.stdout


@pytest.mark.slow
def test_the_command_judges_handlers_in_other_processes(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("aws_durable_execution_sdk_python")
    where = ["--requirements", str(package / "requirements"), "--handlers", str(package), "--mode", "remote"]
    assert main([*where, "--only", "2-7"]) == 0
    assert "remote: 1 of 1" in capsys.readouterr().out
