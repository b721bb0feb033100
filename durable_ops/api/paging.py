"""Pages as `{"results": [...], "next": url or null}`; `next` is the same address with another cursor.

A cursor is the place of the last row, signed for this address: nobody can make one up, change it or use it on another list.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.selectors.pages import newest_page
from execution_engine.core.errors import CommandError


class InvalidCursorError(CommandError):
    code = "invalid_cursor"
    status = 400


def page(request: Request, results: Sequence[Any], cursor: str | int | None) -> Response:
    """`cursor` is the place of the last of the results, None when nothing follows."""
    following = None
    if cursor is not None:
        query = request.query_params.copy()
        query["cursor"] = _signer(request).sign(str(cursor))
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"results": results, "next": following})


def newest(request: Request, found: QuerySet[Any], limit: int, show: Callable[[Any], Any]) -> Response:
    """A page of rows as `show` makes them, the highest id first; the next one begins below the last. One query."""
    rows, following = newest_page(found, limit, number_of(request))
    return page(request, [show(row) for row in rows], following)


def cursor_of(request: Request) -> str:
    """The place that the request goes on from; empty for the first page. Raises InvalidCursorError."""
    sent = request.query_params.get("cursor", "")
    if not sent:
        return ""
    try:
        return _signer(request).unsign(sent)
    except BadSignature:
        message = "This cursor is not one of ours, or of another list: take `next` of the page before as it is."
        raise InvalidCursorError(message, field="cursor", value=sent[:100]) from None


def number_of(request: Request) -> int:
    """As `cursor_of`, for places that are numbers; 0 for the first page."""
    return int(cursor_of(request) or 0)


def _signer(request: Request) -> Signer:
    return Signer(salt=f"durable_ops.api.cursor:{request.path}", sep="~")
