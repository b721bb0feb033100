"""Every refusal as Lambda writes it: status and error type of AWS's service model, `{"Type", "Message"}`, `x-amzn-ErrorType`.

SDKs make an exception class of the error type, and retry 429 and 5xx; a message is for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.http.request import UnreadablePostError

from durable_ops.texts.json_text import JsonTextError
from execution_engine.core.errors import CallbackCompletedError, CommandError, ExecutionAlreadyStartedError

RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """An error type of the service model; `text_key` is how that type spells its message."""

    name: str
    status: int
    text_key: str = "message"
    is_ours: bool = False


INVALID_PARAMETER = Kind("InvalidParameterValueException", 400)
INVALID_CONTENT = Kind("InvalidRequestContentException", 400)
NOT_FOUND = Kind("ResourceNotFoundException", 404, "Message")
CONFLICT = Kind("ResourceConflictException", 409)
ALREADY_STARTED = Kind("DurableExecutionAlreadyStartedException", 409, "Message")
CALLBACK_TIMEOUT = Kind("CallbackTimeoutException", 400, "Message")
TOO_LARGE = Kind("RequestTooLargeException", 413)
TOO_SLOW = Kind("RequestTimeoutException", 408)  # of AWS's front, not of the service model
UNSUPPORTED_MEDIA = Kind("UnsupportedMediaTypeException", 415)
TOO_MANY = Kind("TooManyRequestsException", 429)
SERVICE = Kind("ServiceException", 500, "Message", is_ours=True)
UNKNOWN_OPERATION = Kind("UnknownOperationException", 404, "Message")
# Not in the service model: what AWS answers before a call reaches the service.
MISSING_TOKEN = Kind("MissingAuthenticationTokenException", 403)
UNKNOWN_KEY = Kind("UnrecognizedClientException", 403)
BAD_SIGNATURE = Kind("InvalidSignatureException", 403)
INCOMPLETE_SIGNATURE = Kind("IncompleteSignatureException", 403)
ACCESS_DENIED = Kind("AccessDeniedException", 403, "Message")

_BY_STATUS = {
    401: ACCESS_DENIED,
    403: ACCESS_DENIED,
    404: NOT_FOUND,
    408: TOO_SLOW,
    409: CONFLICT,
    410: CONFLICT,
    412: CONFLICT,
    413: TOO_LARGE,
    415: UNSUPPORTED_MEDIA,
}


class LambdaError(Exception):
    """A refusal that only this door makes."""

    def __init__(self, kind: Kind, message: str, *, retry_after: int | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.reason = reason


def refusal(exc: Exception, kinds: Mapping[Kind, Kind]) -> HttpResponse | None:
    """The answer to an exception, None for what is no refusal.

    `kinds` says what a call answers instead of an error type that it does not know: stopping what is stopped is no conflict at AWS.
    """
    found = _translated(exc)
    return None if found is None else _answer(found, kinds.get(found.kind, found.kind))


def _translated(exc: Exception) -> LambdaError | None:
    if isinstance(exc, LambdaError):
        return exc
    if isinstance(exc, CommandError):
        return _of_command(exc)
    if isinstance(exc, PermissionDenied):
        return LambdaError(ACCESS_DENIED, str(exc) or "You may not do this.")
    if isinstance(exc, JsonTextError):
        return LambdaError(INVALID_CONTENT, f"Could not parse request body into json: {exc}")
    if isinstance(exc, UnreadablePostError):
        return LambdaError(INVALID_CONTENT, "The request could not be read.")
    if isinstance(exc, OperationalError | InterfaceError):
        return LambdaError(SERVICE, "The database does not answer; try again.", retry_after=RETRY_AFTER_SECONDS)
    return None


def _of_command(exc: CommandError) -> LambdaError:
    if isinstance(exc, CallbackCompletedError):
        return LambdaError(CALLBACK_TIMEOUT, exc.message)
    if isinstance(exc, ExecutionAlreadyStartedError):
        return LambdaError(ALREADY_STARTED, exc.message)
    if exc.status == 429:
        return LambdaError(TOO_MANY, exc.message, retry_after=int(exc.facts.get("retry_after", RETRY_AFTER_SECONDS)), reason=_RATE)
    if exc.code == "length_required":
        return LambdaError(INVALID_CONTENT, exc.message)
    return LambdaError(_BY_STATUS.get(exc.status, INVALID_PARAMETER), exc.message)


_RATE = "CallerRateLimitExceeded"


def _answer(error: LambdaError, kind: Kind) -> HttpResponse:
    body = {"Type": "Service" if kind.is_ours else "User", kind.text_key: error.message}
    if error.reason is not None:
        body["Reason"] = error.reason
    answer = JsonResponse(body, status=kind.status)
    answer["x-amzn-ErrorType"] = kind.name
    if error.retry_after is not None:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def server_error() -> HttpResponse:
    """Nothing of what went wrong is said: it is in the log, under the request's id."""
    return _answer(LambdaError(SERVICE, "The service has a problem; its log names this request's id."), SERVICE)
