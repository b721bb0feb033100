"""Pages as `{"results": [...], "next": url or null}`; `next` is the same address with another cursor."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response


def page(request: Request, results: Sequence[Any], cursor: str | int | None) -> Response:
    following = None
    if cursor is not None:
        query = request.query_params.copy()
        query["cursor"] = str(cursor)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"results": results, "next": following})
