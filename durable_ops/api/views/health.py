"""Whether the product works, for programs that have a key; `/healthz` tells load balancers without one."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers.answers import plain
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from durable_ops.web.health import read_health
from execution_engine.selectors.workers import live_workers


class WorkerDocument(serializers.Serializer[Any]):
    boot_id = serializers.UUIDField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    threads = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    lost_threads = serializers.IntegerField(help_text="threads whose handler hangs")
    is_draining = serializers.BooleanField()
    version_ids = serializers.ListField(child=serializers.IntegerField(), help_text="function versions it serves")


class HealthDocument(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ok", "unavailable"])
    web = serializers.BooleanField()
    database = serializers.BooleanField()
    workers = serializers.IntegerField(help_text="that take work")
    live = WorkerDocument(many=True, help_text="seen within the last 30 seconds")


class HealthView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_health", HealthDocument)
    def get(self, request: Request) -> Response:
        """200 whether all is well or not: `status` says."""
        read(requests.EmptyBody, request.query_params.dict())
        return Response({**read_health(), "live": [plain(one) for one in live_workers()]})
