"""Invoke: start an execution, and if asked wait for its end."""

import json
import select
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse

from durable_ops.actions import executions as actions
from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import StartedExecution
from durable_ops.lambda_api import errors, invoke_headers, log_tail
from durable_ops.lambda_api.door import MIB, LambdaView, function_of
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.lambda_api.invoke_headers import DRY_RUN, EVENT, WAITS, Asked
from durable_ops.lambda_api.waiters import Waiter, process_waiters
from durable_ops.models import Right
from durable_ops.selectors.masking import Masks, masking_of
from durable_ops.texts import json_text
from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.core.identifiers import FunctionReference
from execution_engine.selectors.aws_executions import Outcome, is_function

EVENT_BYTES = MIB
"""AWS's limit for an input that nobody waits for."""
SOCKET_LOOK_SECONDS = 0.5
BUSY_SECONDS = 1
WAITS_REASON = "ConcurrentInvocationLimitExceeded"
LOST = 499  # nobody reads it: the caller hung up


class InvokeView(LambdaView):
    """`rights` is what every kind of call needs; waiting for the result needs the right to read payloads as well."""

    rights: ClassVar = {"POST": Right.START_EXECUTION}
    kinds: ClassVar = {}

    @property
    def body_bytes(self) -> int:  # type: ignore[override]
        return EVENT_BYTES if invoke_headers.kind_of(self.request.headers) == EVENT else engine_settings().MAX_PAYLOAD_BYTES

    def post(self, actor: Actor, body: bytes, function: str) -> HttpResponse:
        reference = function_of(function, self.request.GET.get("Qualifier"))
        actor.require(Right.START_EXECUTION, reference.name)
        asked, text = invoke_headers.read(self.request.headers), _input(body)
        if asked.kind == WAITS:
            actor.require(Right.VIEW_PAYLOAD, reference.name)
        try:
            if asked.kind == DRY_RUN:
                return _dry_run(reference)
            start = partial(_start, actor, reference, asked, text)
            if asked.kind == EVENT:
                return _answer(start(), 202)
            return self._wait(start, partial(masking_of(actor.access).of_execution, reference.name), asked)
        except FunctionNotFoundError as error:
            raise FunctionNotFoundError(f"Function not found: {function}") from error

    def _wait(self, start: Callable[[], StartedExecution], masks_of: Callable[[UUID], Masks], asked: Asked) -> HttpResponse:
        waiters = process_waiters()
        waiter = waiters.join()
        if waiter is None:  # asked before anything is started
            raise _busy(waiters.limit)
        try:
            started = start()
            waiters.look_for(waiter, started.id)
            connection.close()  # back to the pool: a wait may be long
            while not waiter.ended.wait(SOCKET_LOOK_SECONDS):
                if _has_hung_up(self.request):
                    return HttpResponse(status=LOST)
            masks = masks_of(started.id)
            answer = _end(started, waiter, masks)
            if asked.wants_log:
                time.sleep(log_tail.GATHER_SECONDS)
                answer["X-Amz-Log-Result"] = log_tail.read(started.id, masks)
            return answer
        finally:
            waiters.leave(waiter)


class UnknownView(LambdaView):
    """Every other address below AWS's API versions: another call of Lambda, or a misspelt one."""

    def _answer(self, request: HttpRequest, named: dict[str, str]) -> HttpResponse:  # noqa: ARG002
        raise LambdaError(errors.UNKNOWN_OPERATION, f"{request.method} {request.path[:200]} is none of the calls for durable executions.")


def _dry_run(reference: FunctionReference) -> HttpResponse:
    if not is_function(reference.name, reference.version):
        raise FunctionNotFoundError("There is no such function.")
    return HttpResponse(status=204)


def _start(actor: Actor, reference: FunctionReference, asked: Asked, text: str | None) -> StartedExecution:
    return actions.start_execution(
        actor,
        function=reference.name,
        input=text,
        version=reference.version,
        name=asked.name,
        tenant_id=asked.tenant,
        client_context=asked.client_context,
    )


def _input(body: bytes) -> str | None:
    """The input's text, byte for byte; none for an empty body. Raises JsonTextError."""
    if not body:
        return None
    json_text.parse(body)
    return body.decode()


def _busy(limit: int) -> LambdaError:
    sentence = f"{limit} callers wait for results in this process (LAMBDA_WAITERS): try again, or invoke with InvocationType Event."
    return LambdaError(errors.TOO_MANY, sentence, retry_after=BUSY_SECONDS, reason=WAITS_REASON)


def _end(started: StartedExecution, waiter: Waiter, masks: Masks) -> HttpResponse:
    found = waiter.outcome
    assert found is not None
    found = replace(found, result=masks.text(found.result), error=masks.text(found.error))
    if found.status == ExecutionStatus.SUCCEEDED:
        answer = _answer(started, 200, (found.result or "").encode())
    else:
        answer = _answer(started, 200, _function_error(found))
        answer["X-Amz-Function-Error"] = "Unhandled"
    answer["X-Amz-Executed-Version"] = found.version
    return answer


def _function_error(found: Outcome) -> bytes:
    """A Lambda function's error: `errorMessage`, `errorType`, and what else the execution kept of it."""
    kept = {} if found.error is None else json.loads(found.error)
    body: dict[str, Any] = {
        "errorMessage": kept.get("ErrorMessage") or f"The durable execution is {found.status}.",
        "errorType": kept.get("ErrorType") or f"DurableExecution.{found.status}",
    }
    if "ErrorData" in kept:
        body["errorData"] = kept["ErrorData"]
    if "StackTrace" in kept:
        body["stackTrace"] = kept["StackTrace"]
    return json.dumps(body).encode()


def _answer(started: StartedExecution, status: int, body: bytes = b"") -> HttpResponse:
    answer = HttpResponse(body, status=status, content_type="application/json")
    answer["X-Amz-Durable-Execution-Arn"] = started.arn
    return answer


def _has_hung_up(request: HttpRequest) -> bool:
    """Whether the caller's connection is closed, where the server lets us see it (gunicorn)."""
    client = request.META.get("gunicorn.socket")
    if client is None:
        return False
    look = select.poll()  # `select` refuses the 1025th file of a process
    look.register(client, select.POLLIN)
    if not look.poll(0):
        return False
    try:
        # Below TLS, whose own `recv` takes no flags.
        return bool(socket.socket.recv(client, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
