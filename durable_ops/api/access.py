"""The ground of every route, and who acts behind a request."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from durable_ops.actions.actor import Actor, Channel
from durable_ops.api.parsers import LengthRequiredError
from durable_ops.models import ApiKey, Right
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.trace import MAX_CORRELATION_ID, Trace, is_correlation_id, read_traceparent


class RestView(APIView):
    """A route of this door: `rights` has a row for each method that it answers.

    None stands for any key: what may be decided depends on the approval, and the action asks its policy.
    """

    rights: ClassVar[Mapping[str, Right | None]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequiredError
        super().initial(request, *args, **kwargs)
        trace_of(request)  # refused before anything is done


def actor_of(request: Request) -> Actor:
    """The corridor's actor behind a request."""
    key = request.auth if isinstance(request.auth, ApiKey) else None
    address = request.META.get("REMOTE_ADDR", "")
    return Actor(user=request.user, key=key, channel=Channel.REST, address=address, trace=trace_of(request))


def trace_of(request: Request) -> Trace:
    """Of `traceparent` (ignored when malformed, as W3C says) and `X-Correlation-Id`. Raises InvalidInputError."""
    correlation_id = request.headers.get("X-Correlation-Id")
    if correlation_id is not None and not is_correlation_id(correlation_id):
        sentence = f"X-Correlation-Id takes 1 to {MAX_CORRELATION_ID} visible ASCII characters, without blanks."
        raise InvalidInputError(sentence, field="X-Correlation-Id", limit=MAX_CORRELATION_ID)
    return Trace(read_traceparent(request.headers.get("traceparent", "")), correlation_id)
