"""Calls of the Lambda API go straight to their views: sessions, CSRF, messages and page policies are for browsers, and cost more than a
checkpoint. Who calls is asked by the view itself; TLS and its headers stay with the middleware before this one."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver

from durable_ops.lambda_api.views.invocations import UnknownView

ROOM = "durable_ops.lambda_api.urls"
PREFIXES = ("/2015-03-31/", "/2025-12-01/")


class LambdaShortcutMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._resolver: URLResolver = get_resolver(ROOM)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIXES):
            return self._get_response(request)
        try:
            match = self._resolver.resolve(request.path_info)
        except Resolver404:  # whatever an address may hold, its answer is one that SDKs can read
            match = ResolverMatch(UnknownView.as_view(), (), {}, "unknown")
        request.resolver_match = match
        found: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return found
