"""What Lambda accepts as the answer of a durable function, and what ends the execution."""

from typing import Any

import pytest

from execution_engine.core.enums import InvocationStatus, OperationAction, OperationType
from execution_engine.core.records import ErrorObject, OperationUpdate
from execution_engine.invocation.answers import BAD_ANSWER, read_answer


def test_the_three_answers() -> None:
    assert read_answer({"Status": "PENDING"}).status is InvocationStatus.PENDING
    assert read_answer({"Status": "SUCCEEDED", "Result": "[1]"}).result == "[1]"
    assert read_answer({"Status": "SUCCEEDED", "Result": None, "Error": None}).result is None
    failed = read_answer({"Status": "FAILED", "Error": {"ErrorType": "E", "ErrorMessage": "m", "StackTrace": ["line"]}})
    assert (failed.status, failed.invocation_failed) == (InvocationStatus.FAILED, False)
    assert failed.error == ErrorObject("m", "E", None, ("line",))
    assert read_answer({"Status": "FAILED"}).error == ErrorObject()


def test_a_result_that_was_recorded_takes_the_place_of_the_empty_one() -> None:
    ended = OperationUpdate("e", OperationType.EXECUTION, OperationAction.SUCCEED, payload="large")
    assert read_answer({"Status": "SUCCEEDED", "Result": ""}, ended).result == "large"


@pytest.mark.parametrize(
    "answer",
    [
        None, [], "PENDING", 7, {}, {"Status": "DONE"}, {"Status": ["PENDING"]}, {"Status": "SUCCEEDED", "Result": {"not": "text"}},
        {"Status": "SUCCEEDED", "Error": {"ErrorType": "E"}}, {"Status": "FAILED", "Result": "x"}, {"Status": "FAILED", "Error": "text"},
        {"Status": "FAILED", "Error": {"ErrorMessage": 7}}, {"Status": "SUCCEEDED", "Result": "\x00"},
        {"Status": "SUCCEEDED", "Result": "\ud800"}, {"Status": "FAILED", "Error": {"StackTrace": ["\x00"]}},
    ],
)  # fmt: skip
def test_anything_else_ends_the_execution_at_once(answer: Any) -> None:
    outcome = read_answer(answer)
    assert (outcome.status, outcome.invocation_failed) == (InvocationStatus.FAILED, False)
    assert outcome.error is not None and outcome.error.type == BAD_ANSWER
