"""Functions whose handler lives behind HTTP: each invocation is one POST of AWS's envelope, and the answer is judged as Lambda judges it.

    envelope (state, token) -> POST -> the handler checkpoints through the Lambda API, under this claim -> answer -> outcome

While the call is out the claim stays ours: the worker renews it and hands it back when it drains, but writes nothing itself. Only
the token in the envelope can, and a claim that is lost or taken over makes it worthless.
"""

import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import orjson

from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.enums import InvocationStatus
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.records import ErrorObject
from execution_engine.core.transitions.execution import EXIT_ERROR, RETRY_INVOCATION_SECONDS, TIMED_OUT_ERROR
from execution_engine.invocation.answers import BAD_ANSWER, SHOWN_CHARACTERS, read_answer, refusal
from execution_engine.invocation.post import Answered, BrokenError, LateError, Post, TooLargeError, UnreachableError
from execution_engine.invocation.sink import check_text
from execution_engine.journal import pages, tokens
from execution_engine.journal.claims import Claim
from execution_engine.journal.lane import Lane
from execution_engine.journal.tokens import Token
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.runner import HandlerOutcome

PATH = "/2015-03-31/functions/{}/invocations"
UNHANDLED = "Unhandled"
ANSWER_BYTES = 64 * 1024
"""What an answer may have beside a result, which JSON's escapes make twice as long at most."""


class RemoteInvocation:
    """One invocation of a remote function. `run` belongs to the handler thread, `give_up` to whoever finds the claim gone."""

    def __init__(self, function: RegisteredFunction, context: LambdaContext, body: bytes, client_context: str | None = None) -> None:
        assert function.url is not None
        self._function = function
        self._context = context
        self._where = function.url
        self._post = Post(function.url + PATH.format(function.name), body, _headers(context, client_context))

    def run(self) -> HandlerOutcome:
        """Returns when the handler has answered, its time is over or its host is gone. What fails counts as one failed invocation;
        after a death it is tried again at once, while a host that is away or in trouble gets the usual pause."""
        seconds = self._context.get_remaining_time_in_millis() / 1000
        try:
            answer = self._post.send(seconds, engine_settings().MAX_PAYLOAD_BYTES * 2 + ANSWER_BYTES)
        except UnreachableError as problem:
            return _away(f"{self._where} could not be reached: {problem}")
        except BrokenError as problem:
            return _failed(replace(EXIT_ERROR, message=f"the connection to {self._where} ended before the answer: {problem}"))
        except LateError:
            return _failed(TIMED_OUT_ERROR)
        except TooLargeError as problem:
            return HandlerOutcome(InvocationStatus.FAILED, error=ErrorObject(message=str(problem), type="Function.ResponseSizeTooLarge"))
        except ValueError as problem:  # a tenant that no header can carry
            return refusal(f"the call could not be sent: {problem}")
        return self._judged(answer)

    def give_up(self) -> None:
        """Frees the thread. The handler may go on for a while: its token is worthless."""
        self._post.give_up()

    def _judged(self, answer: Answered) -> HandlerOutcome:
        told = answer.headers.get("X-Amz-Function-Error")
        if told is not None:
            return _failed(_function_error(answer.body, told))
        if answer.status != 200:
            return _away(f"{self._where} answered HTTP {answer.status}: {_shown(answer.body)}")
        if not answer.body:
            return _away(f"{self._where} answered nothing")
        try:
            text = answer.body.decode()
            value = orjson.loads(answer.body)
        except ValueError:
            return refusal(f"{self._where} answered something else than JSON: {_shown(answer.body)}")
        return read_answer(value) if self._function.is_durable else HandlerOutcome(InvocationStatus.SUCCEEDED, text)


def envelope(claim: Claim, lane: Lane, arn: str, updated: Sequence[str]) -> bytes:
    """What AWS's SDKs take as the event of a durable function: the recorded state, and the token to go on from it. The lane stands
    still: nothing is queued, and what it holds is what the rows hold."""
    first = wire.execution_operation(str(claim.execution_id), claim.started_at, claim.input)
    records = sorted(lane.operations.values(), key=attrgetter("start_event"))
    page, marker = pages.cut(claim.execution_id, [first, *records], lane.clock.now())
    token = Token(claim.execution_id, claim.claim_id, lane.checkpoint_seq, sent_seq=lane.wake_seq, answered_seq=lane.wake_seq)
    event = {
        "DurableExecutionArn": arn,
        "CheckpointToken": tokens.issue(token),
        "InitialExecutionState": {"Operations": [wire.operation(record) for record in page], "NextMarker": marker or ""},
        "UpdatedOperationIds": list(updated),
    }
    return orjson.dumps(wire.milliseconds(event))


def plain_body(claim: Claim) -> bytes:
    """A function that is not durable gets its payload as it is."""
    return (claim.input or "{}").encode()


def stalled() -> HandlerOutcome:
    """The handler suspended, and there is nothing that it could be waiting for: tried again, as Lambda does."""
    return _failed(ErrorObject(message="the function answered PENDING while no operation is pending", type=BAD_ANSWER))


def _headers(context: LambdaContext, client_context: str | None) -> dict[str, str]:
    """Lambda's own names where it has them: those of Invoke, and for what a host tells its handler those of the Runtime API."""
    found: dict[str, str | None] = {
        "X-Amzn-Trace-Id": context.trace_header,
        "X-Amz-Tenant-Id": context.tenant_id,
        "X-Amz-Client-Context": client_context and b64encode(client_context.encode()).decode(),
        "Lambda-Runtime-Aws-Request-Id": context.aws_request_id,
        "Lambda-Runtime-Invoked-Function-Arn": context.invoked_function_arn,
        "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + context.get_remaining_time_in_millis()),
    }
    return {name: value for name, value in found.items() if value}


def _failed(error: ErrorObject, pause: int | None = None) -> HandlerOutcome:
    return HandlerOutcome(InvocationStatus.FAILED, error=error, invocation_failed=True, pause=pause)


def _away(message: str) -> HandlerOutcome:
    """Nobody died of this execution: five tries within a moment would fail whatever is due while a host is restarted."""
    return _failed(replace(EXIT_ERROR, message=message), RETRY_INVOCATION_SECONDS)


def _function_error(body: bytes, told: str) -> ErrorObject:
    """Lambda's error of a function, `{"errorMessage", "errorType", "stackTrace"}`; in AWS's capitals as well."""
    try:
        value: Any = orjson.loads(body)
    except ValueError:
        value = None
    given: Mapping[str, Any] = value if isinstance(value, dict) else {}
    found = {key[:1].upper() + key[1:]: inner for key, inner in given.items() if isinstance(inner, str | list)}
    try:
        error = wire.read_error({"ErrorType": told, "ErrorMessage": _shown(body)} | found)
        for text in (error.message, error.type, error.data, *(error.stack_trace or ())):
            check_text(text or "", "function's error")
    except (InvalidInputError, ValidationError):
        return ErrorObject(message=_shown(body), type=UNHANDLED)
    return error


def _shown(body: bytes) -> str:
    return body[: SHOWN_CHARACTERS * 4].decode(errors="replace")[:SHOWN_CHARACTERS].replace("\0", "")
