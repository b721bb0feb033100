"""The ground of every route, and who acts behind a request."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from durable_ops.actions.actor import Actor, Channel
from durable_ops.api.etags import add_tag
from durable_ops.api.idempotency import once
from durable_ops.doors.bodies import refuse_chunks
from durable_ops.doors.callers import address_of, trace_of
from durable_ops.doors.nul import has_nul
from durable_ops.doors.rate import count_call
from durable_ops.models import ApiKey, Right
from durable_ops.permissions import access_of
from execution_engine.core.trace import is_correlation_id


class RestView(APIView):
    """A route of this door: `rights` has a row for each method that it answers.

    None stands for any key: what may be decided depends on the approval, and the action asks its policy.
    """

    rights: ClassVar[Mapping[str, Right | None]] = {}
    once_only: ClassVar[frozenset[str]] = frozenset()
    """Secrets in answers: those names are not kept for an Idempotency-Key."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Every POST can be sent again under an Idempotency-Key, so that none is forgotten."""
        super().__init_subclass__(**kwargs)
        if "post" in cls.__dict__:
            cls.post = once(cls.__dict__["post"])  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_chunks(request.META)
        super().initial(request, *args, **kwargs)
        count_call(request)
        if has_nul(kwargs.values()):
            raise NotFound("There is nothing at this address.")
        self._require_on_execution(request, kwargs.get("execution_id"))
        trace_of(request.headers)  # refused before anything is done

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        rate, sent = getattr(request, "rate", None), request.headers.get("X-Correlation-Id", "")
        for name, value in (rate.headers() if rate else {}).items():
            answer[name] = value
        if is_correlation_id(sent):
            answer["X-Correlation-Id"] = sent
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        add_tag(request, answer)
        return answer

    def _require_on_execution(self, request: Request, execution_id: str | None) -> None:
        """For an address of one execution: 404 when this person's rights are limited to other functions."""
        right = self.rights["GET" if request.method == "HEAD" else str(request.method)]
        if execution_id is not None and right is not None:
            with suppress(ValueError):  # the view says what is wrong with it
                access_of(request.user).require_on(right, UUID(execution_id))


def actor_of(request: Request) -> Actor:
    """The corridor's actor behind a request."""
    key = request.auth if isinstance(request.auth, ApiKey) else None
    address = address_of(request.META)
    return Actor(user=request.user, key=key, channel=Channel.REST, address=address, trace=trace_of(request.headers))
