"""Limits of a function: concurrency, per key, rate of starts, priority."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions.limits import change_limits
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.etags import require_match
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers import schedules as shapes
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.selectors.limits import FunctionLimits, function_limits


class FunctionLimitsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "PUT": Right.MANAGE_LIMITS}

    @documents.reads("get_limits", shapes.LimitsDocument)
    def get(self, request: Request, name: str) -> Response:
        """What is set, null where nothing is. How much of it is taken stands in `explain` and on the console's page."""
        read(requests.EmptyBody, request.query_params.dict())
        return Response(shapes.limits(_find(request, name, Right.VIEW_EXECUTION)))

    @documents.changes("set_limits", shapes.LimitsBody, {200: shapes.LimitsDocument})
    def put(self, request: Request, name: str) -> Response:
        """All at once: what the body does not name is no limit. Counts from the next claim on; with If-Match only what was read."""
        body = read(shapes.LimitsBody, request.data)
        before = _find(request, name, Right.MANAGE_LIMITS)
        require_match(request, shapes.limits(before))
        after = change_limits(actor_of(request), name, shapes.limits_of(body), revision=before.revision, reason=body["reason"])
        return Response(shapes.limits(after))


def _find(request: Request, name: str, right: Right) -> FunctionLimits:
    hidden = FunctionNotFoundError("There is no such function.", function=name[:100])
    actor_of(request).require(right, name, hidden)
    found = function_limits([name]).get(name)
    if found is None:
        raise hidden
    return found
