"""Who calls: a key that signed the request as AWS's SDKs do, or `Authorization: Bearer KEY`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import quote

from django.http import HttpRequest

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor, Channel
from durable_ops.doors.callers import address_of, count_refused_key, trace_of
from durable_ops.lambda_api import errors, sigv4
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.models import ApiKey
from execution_engine.core.trace import read_amzn_trace


class Keys(Protocol):
    """Where live keys are found: `actions.api_keys`, or what remembers it for a moment."""

    def find_key(self, secret: str) -> ApiKey | None: ...
    def find_signing_key(self, access_key_id: str) -> tuple[ApiKey, str] | None: ...


def authenticate(request: HttpRequest, read: Callable[[], bytes], keys: Keys = api_keys) -> Actor:
    """The corridor's actor. `read` is asked for the body only when it is needed: of a signed request by a known key.

    Raises LambdaError, and what the throttle of refused keys raises.
    """
    given = request.headers.get("Authorization", "")
    scheme, _, secret = given.partition(" ")
    if not scheme:
        raise LambdaError(errors.MISSING_TOKEN, "Missing Authentication Token: sign with a key of this installation, or send a bearer key.")
    if scheme.lower() == "bearer":
        key = keys.find_key(secret.strip())
        if key is None:
            raise _refused(request)
    else:
        key = _signer(request, given, read, keys)
    trace = trace_of(request.headers)
    if trace.traceparent is None and (parent := read_amzn_trace(request.headers.get("X-Amzn-Trace-Id", ""))):
        trace = replace(trace, traceparent=parent)
    return Actor(user=key.user, key=key, channel=Channel.LAMBDA, address=address_of(request.META), trace=trace)


def _signer(request: HttpRequest, authorization: str, read: Callable[[], bytes], keys: Keys) -> ApiKey:
    try:
        credential = sigv4.read_credential(authorization)
        found = keys.find_signing_key(credential.access_key_id)
        if found is None:
            raise _refused(request)
        key, secret = found
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = sigv4.SignedRequest(str(request.method), raw_target(request), headers, read())
        sigv4.verify(credential, secret, signed, datetime.now(UTC))
    except sigv4.IncompleteSignatureError as error:
        raise LambdaError(errors.INCOMPLETE_SIGNATURE, str(error)) from error
    except sigv4.SignatureError as error:
        count_refused_key(address_of(request.META))
        raise LambdaError(errors.BAD_SIGNATURE, str(error)) from error
    return api_keys.note_use(key)


def _refused(request: HttpRequest) -> LambdaError:
    count_refused_key(address_of(request.META))
    return LambdaError(errors.UNKNOWN_KEY, "The security token included in the request is invalid.")


def raw_target(request: HttpRequest) -> str:
    """The request target as it came: gunicorn says it in RAW_URI, uWSGI and mod_wsgi in REQUEST_URI.

    A server that says neither has decoded `%2F` in ARNs; what AWS's SDKs encode is then encoded again: all but unreserved characters
    of each value in the path.
    """
    raw = request.META.get("RAW_URI") or request.META.get("REQUEST_URI")
    if raw:
        return str(raw) if str(raw).startswith("/") else "/" + str(raw).split("://", 1)[-1].partition("/")[2]
    path = request.path
    match = request.resolver_match
    for value in match.kwargs.values() if match else ():
        path = path.replace(value, quote(value, safe="-_.~"), 1)
    query = request.META.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path
