"""How long web requests take, by route. Counted in each web process, summed over all of them when they are asked for."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OWN_REGISTRY = CollectorRegistry()
REQUESTS = Histogram(
    "durable_http_request_seconds", "Web requests, from the first middleware to the answer.", ["method", "route", "status"],
    buckets=BUCKETS, registry=OWN_REGISTRY,
)  # fmt: skip
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class LatencyMiddleware:
    """Labels are bounded: the route as it is written in the URL table, a known method, the class of the status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = getattr(request, "resolver_match", None)
        route = f"/{match.route}" if match is not None and match.route else "other"
        method = str(request.method) if request.method in METHODS else "other"
        REQUESTS.labels(method, route, f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response
