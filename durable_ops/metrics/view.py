"""`GET /metrics`: for a key that may see executions, or for addresses that are named in METRICS_ALLOWED_NETWORKS."""

import os
from ipaddress import ip_address, ip_network
from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.request import Request

from durable_ops.api.access import RestView
from durable_ops.doors.callers import address_of
from durable_ops.metrics.figures import Figures
from durable_ops.metrics.latency import OWN_REGISTRY
from durable_ops.models import Right
from durable_ops.permissions import access_of


class MetricsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    def check_permissions(self, request: Request) -> None:
        if not is_allowed(address_of(request.META)):
            super().check_permissions(request)

    @extend_schema(exclude=True)  # no JSON, and not below /api/v1
    def get(self, request: Request) -> HttpResponse:
        """A key that is limited to functions gets the figures of those."""
        functions = None if is_allowed(address_of(request.META)) else access_of(request.user).functions_for(Right.VIEW_EXECUTION)
        registry = CollectorRegistry()
        registry.register(Figures(functions))
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            MultiProcessCollector(registry)
        else:
            registry.register(OWN_REGISTRY)  # a registry collects as well
        answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        answer["Cache-Control"] = "no-store"
        return answer


def is_allowed(address: str) -> bool:
    """Whether the connection comes from a network of the setting; behind a proxy it is the proxy's address."""
    networks = getattr(settings, "METRICS_ALLOWED_NETWORKS", [])
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(one) for one in networks)
