"""Full page or fragment: the same view and the same template answer both."""

import zlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

LIVE = ("seen", "stamp")
"""Parameters of live parts, which do not belong in an address that people share."""


def wants_fragment(request: HttpRequest) -> bool:
    """True when htmx asks for a part of the page; going back in the browser asks for all of it."""
    is_restoring = request.headers.get("HX-History-Restore-Request") == "true"
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full" and not is_restoring


def render_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, fragment: str, status: int = 200, url: str | None = None
) -> HttpResponse:
    """Renders `template`, or its named partial for htmx; the browser's address then becomes `url`."""
    if not wants_fragment(request):
        return render(request, template, dict(context), status=status)
    response = render(request, f"{template}#{fragment}", dict(context), status=status)
    if url is not None:
        response["HX-Push-Url"] = url
    return response


def token(*values: Any) -> str:
    """A short text that changes when one of the values does."""
    return f"{zlib.crc32(repr(values).encode()):08x}"


def is_unchanged(request: HttpRequest, current: str) -> bool:
    """Whether the page that asks already shows this state; answer 204 then, which htmx does not swap."""
    return request.GET.get("seen") == current


def unchanged() -> HttpResponse:
    return HttpResponse(status=204)


def live_url(request: HttpRequest, current: str, stamp: str | None = None) -> str:
    """The address from which a live part refreshes itself: its own, with what it has shown (`stamp`: see `durable_ops.web.quick_poll`)."""
    query = request.GET.copy()
    query["seen"] = current
    query.pop("stamp", None)
    if stamp:
        query["stamp"] = stamp
    return f"{request.path}?{query.urlencode()}"


def page_url(request: HttpRequest) -> str:
    """The address to share: without empty filters and without the parameters of live parts."""
    query = request.GET.copy()
    for key in list(query):
        if key in LIVE or not query.getlist(key)[-1].strip():
            del query[key]
    return f"{request.path}?{query.urlencode()}" if query else request.path
