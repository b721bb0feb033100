"""The ground of every route, and who acts behind a request."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from durable_ops.actions.actor import Actor, Channel
from durable_ops.bodies import refuse_chunks
from durable_ops.callers import trace_of
from durable_ops.models import ApiKey, Right


class RestView(APIView):
    """A route of this door: `rights` has a row for each method that it answers.

    None stands for any key: what may be decided depends on the approval, and the action asks its policy.
    """

    rights: ClassVar[Mapping[str, Right | None]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_chunks(request.META)
        super().initial(request, *args, **kwargs)
        trace_of(request.headers)  # refused before anything is done


def actor_of(request: Request) -> Actor:
    """The corridor's actor behind a request."""
    key = request.auth if isinstance(request.auth, ApiKey) else None
    address = request.META.get("REMOTE_ADDR", "")
    return Actor(user=request.user, key=key, channel=Channel.REST, address=address, trace=trace_of(request.headers))
