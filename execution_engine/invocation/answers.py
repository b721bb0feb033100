"""Judges what a handler of AWS's protocol answered, `{"Status", "Result", "Error"}`, as Lambda judges it."""

from typing import Any

from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.records import ErrorObject, OperationUpdate
from execution_engine.core.wire import read_error
from execution_engine.invocation.sink import check_text
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.runner import HandlerOutcome

BAD_ANSWER = "InvalidParameterValueException"
SHOWN_CHARACTERS = 200


def read_answer(answer: Any, ended: OperationUpdate | None = None) -> HandlerOutcome:
    """The outcome of an invocation. `ended` is the EXECUTION update that was recorded because the result was too large for the answer.

    Anything but AWS's three answers ends the execution at once, FAILED with `InvalidParameterValueException`: the next try would bring the
    same answer.
    """
    given: dict[str, Any] = answer if isinstance(answer, dict) else {}
    status, result, error = given.get("Status"), given.get("Result"), given.get("Error")
    if status == "PENDING":
        return HandlerOutcome(InvocationStatus.PENDING)
    if ended is not None and (status, ended.action) in _RECORDED:
        return HandlerOutcome(_RECORDED[status, ended.action], ended.payload, ended.error)
    if status == "SUCCEEDED" and error is None and (result is None or isinstance(result, str)):
        return _checked(HandlerOutcome(InvocationStatus.SUCCEEDED, result), result)
    if status == "FAILED" and result is None:
        return _failure(error or {})
    return refusal(f"the function's answer is not one of a durable function: {str(answer)[:SHOWN_CHARACTERS]}")


def refusal(message: str) -> HandlerOutcome:
    """The end of an execution whose function answers what no durable function answers."""
    return HandlerOutcome(InvocationStatus.FAILED, error=ErrorObject(message=message, type=BAD_ANSWER))


_RECORDED: dict[tuple[Any, OperationAction], InvocationStatus] = {
    ("SUCCEEDED", OperationAction.SUCCEED): InvocationStatus.SUCCEEDED,
    ("FAILED", OperationAction.FAIL): InvocationStatus.FAILED,
}


def _failure(wire: Any) -> HandlerOutcome:
    try:
        error = read_error(wire)
    except InvalidInputError as problem:
        return refusal(f"the error of the function's answer is not one: {problem}")
    texts = (error.message, error.type, error.data, *(error.stack_trace or ()))
    return _checked(HandlerOutcome(InvocationStatus.FAILED, error=error), *texts)


def _checked(outcome: HandlerOutcome, *texts: str | None) -> HandlerOutcome:
    """The outcome, if its texts can be stored."""
    try:
        for text in texts:
            check_text(text or "", "function's answer")
    except ValidationError as problem:
        return refusal(str(problem))
    return outcome
