"""The ground of every call: who asks, what they may, the body, the answer's headers and refusals."""

import json
import logging
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor
from durable_ops.doors.bodies import read_body
from durable_ops.doors.rate import count_call
from durable_ops.lambda_api import errors
from durable_ops.lambda_api.authentication import Keys, authenticate
from durable_ops.lambda_api.errors import Kind, LambdaError
from durable_ops.models import Right
from durable_ops.texts import json_text
from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.identifiers import ExecutionReference, FunctionReference, parse_execution_arn, parse_function
from execution_engine.selectors.aws_executions import AwsExecution, read_execution

logger = logging.getLogger(__name__)
MIB = 1024 * 1024
# Beside a payload a body has tokens, names and an error's text.
ENVELOPE_BYTES = 256 * 1024


@method_decorator(csrf_exempt, name="dispatch")
class LambdaView(View):
    """A call: `rights` has a row for each method that it answers, None where the action asks its own policy.

    A method is named as Django's and takes `actor`, `body` and what the address holds; it answers a wire value (written as JSON) or a
    response. `kinds` maps error types that the call's service model does not have to one that it has.
    """

    rights: ClassVar[Mapping[str, Right | None]] = {}
    kinds: ClassVar[Mapping[Kind, Kind]] = dict.fromkeys((errors.INVALID_CONTENT, errors.TOO_LARGE), errors.INVALID_PARAMETER)
    body_bytes: int = MIB + ENVELOPE_BYTES
    status: ClassVar[int] = 200
    keys: ClassVar[Keys] = api_keys
    is_counted: ClassVar[bool] = True

    def dispatch(self, request: HttpRequest, *_: Any, **kwargs: Any) -> HttpResponse:
        request_id = str(uuid.uuid4())
        try:
            answer = self._answer(request, kwargs)
        except Exception as exc:
            answer = errors.refusal(exc, self.kinds) or _unexpected(request, request_id)
        answer["x-amzn-RequestId"] = request_id
        answer["Cache-Control"] = "no-store"
        answer["Content-Length"] = str(len(answer.content))  # or a server would send it in chunks
        return answer

    def _answer(self, request: HttpRequest, named: dict[str, str]) -> HttpResponse:
        body = cache(lambda: read_body(request.META, cast(Any, request), self.body_bytes))
        actor = authenticate(request, body, self.keys)
        # For the note of a refused attempt, and for whoever counts calls.
        request.user, request.auth, request.channel = actor.user, actor.key, actor.channel  # type: ignore[attr-defined]
        if self.is_counted:
            count_call(request)
        method = str(request.method)
        if method not in self.rights:
            raise LambdaError(errors.UNKNOWN_OPERATION, f"There is no call {method} at this address.")
        right = self.rights[method]
        if right is not None:
            actor.require(right)
        found = getattr(self, method.lower())(actor, body(), **named)
        return found if isinstance(found, HttpResponse) else self.answer(found, self.status)

    @staticmethod
    def answer(value: Any, status: int = 200) -> HttpResponse:
        """A wire value as restJson1: moments are epoch seconds, absent members have no key."""
        return HttpResponse(_json(wire.seconds(value)), status=status, content_type="application/json")


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair in a handler's text: sent as the escape it was stored as
        return json.dumps(value).encode()


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; no body is an empty one. Raises JsonTextError, LambdaError."""
    value = json_text.parse(body) if body else {}
    if not isinstance(value, dict):
        raise LambdaError(errors.INVALID_PARAMETER, "The body must be a JSON object.")
    return value


def execution_of(actor: Actor, right: Right, arn: str) -> AwsExecution:
    """The execution that an ARN of this installation names. Raises PermissionDenied, LambdaError, ExecutionNotFoundError."""
    named = reference_of(arn)
    actor.require_on(right, named.id)
    found = read_execution(named.id)
    if (found.function, found.name) != (named.function, named.name):
        raise ExecutionNotFoundError(f"There is no execution {arn}.")
    return found


def reference_of(arn: str) -> ExecutionReference:
    settings = engine_settings()
    found = parse_execution_arn(arn, settings.REGION, settings.ACCOUNT)
    if found is None:
        sentence = f"{arn[:200]} is no ARN of a durable execution of account {settings.ACCOUNT} in {settings.REGION}."
        raise LambdaError(errors.INVALID_PARAMETER, sentence)
    return found


def function_of(text: str, qualifier: str | None) -> FunctionReference:
    """Function and version that a name or an ARN and the `Qualifier` mean together. Raises LambdaError."""
    settings = engine_settings()
    found = parse_function(text, settings.REGION, settings.ACCOUNT)
    if found is None:
        raise LambdaError(errors.INVALID_PARAMETER, f"{text[:200]} names no function of account {settings.ACCOUNT} in {settings.REGION}.")
    if qualifier is None:
        return found
    asked = parse_function(f"{found.name}:{qualifier}", settings.REGION, settings.ACCOUNT)
    if asked is None:
        raise LambdaError(errors.INVALID_PARAMETER, f"Qualifier {qualifier[:100]!r} is no version.")
    if found.version is not None and found.version != asked.version:
        raise LambdaError(errors.INVALID_PARAMETER, "The version in the function's name and the Qualifier differ.")
    return asked


def _unexpected(request: HttpRequest, request_id: str) -> HttpResponse:
    logger.exception("Lambda API: %s %s failed, request %s", request.method, request.path, request_id)
    return errors.server_error()
