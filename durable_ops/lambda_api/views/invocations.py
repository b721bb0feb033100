"""Invoke: start an execution, and if asked wait for its end."""

import json
import select
import socket
from dataclasses import replace
from typing import Any, ClassVar

from django.db import connection
from django.http import HttpRequest, HttpResponse

from durable_ops.actions import executions as actions
from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import StartedExecution
from durable_ops.lambda_api import errors, queries
from durable_ops.lambda_api.door import MIB, LambdaView, function_of
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.lambda_api.waiters import Waiter, process_waiters
from durable_ops.masking import Masks, masking_of
from durable_ops.models import Right
from durable_ops.texts import json_text
from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.core.identifiers import FunctionReference
from execution_engine.selectors.plain import Outcome, is_function

KINDS_OF_CALL = ("RequestResponse", "Event", "DryRun")
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
        return EVENT_BYTES if self._kind() == "Event" else engine_settings().MAX_PAYLOAD_BYTES

    def post(self, actor: Actor, body: bytes, function: str) -> HttpResponse:
        kind = self._kind()
        if kind not in KINDS_OF_CALL:
            raise wire.refused("", "InvocationType", f"must be one of {', '.join(KINDS_OF_CALL)}", value=kind)
        headers = self.request.headers
        asked = function_of(function, self.request.GET.get("Qualifier"))
        actor.require(Right.START_EXECUTION, asked.name)
        name = queries.text(headers, "X-Amz-Durable-Execution-Name", high=64, pattern=wire.TOKEN)
        tenant = queries.text(headers, "X-Amz-Tenant-Id", high=256, pattern=wire.TENANT)
        text = _input(body)
        if kind == "RequestResponse":
            actor.require(Right.VIEW_PAYLOAD, asked.name)
        if kind == "DryRun":
            return self._dry_run(asked, function)
        if kind == "Event":
            return _answer(self._start(actor, asked, function, name=name, tenant=tenant, text=text), 202)
        waiters = process_waiters()
        waiter = waiters.join()
        if waiter is None:  # asked before anything is started
            raise _busy(waiters.limit)
        try:
            started = self._start(actor, asked, function, name=name, tenant=tenant, text=text)
            waiters.look_for(waiter, started.id)
            return self._wait(started, waiter, masking_of(actor.access).of(asked.name))
        finally:
            waiters.leave(waiter)

    def _kind(self) -> str:
        return self.request.headers.get("X-Amz-Invocation-Type", KINDS_OF_CALL[0])

    def _dry_run(self, asked: FunctionReference, function: str) -> HttpResponse:
        if not is_function(asked.name, asked.version):
            raise FunctionNotFoundError(f"Function not found: {function}")
        return HttpResponse(status=204)

    def _start(
        self, actor: Actor, asked: FunctionReference, function: str, *, name: str | None, tenant: str | None, text: str | None
    ) -> StartedExecution:
        try:
            return actions.start_execution(actor, function=asked.name, input=text, version=asked.version, name=name, tenant_id=tenant)
        except FunctionNotFoundError as error:
            raise FunctionNotFoundError(f"Function not found: {function}") from error

    def _wait(self, started: StartedExecution, waiter: Waiter, masks: Masks) -> HttpResponse:
        connection.close()  # back to the pool: a wait may be long
        while not waiter.ended.wait(SOCKET_LOOK_SECONDS):
            if _has_hung_up(self.request):
                return HttpResponse(status=LOST)
        return _end(started, waiter, masks)


class UnknownView(LambdaView):
    """Every other address below AWS's API versions: another call of Lambda, or a misspelt one."""

    def _answer(self, request: HttpRequest, named: dict[str, str]) -> HttpResponse:  # noqa: ARG002
        raise LambdaError(errors.UNKNOWN_OPERATION, f"{request.method} {request.path[:200]} is none of the calls for durable executions.")


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
