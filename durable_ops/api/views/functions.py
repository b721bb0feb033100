"""Functions that workers registered, and their versions."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.paging import page
from durable_ops.api.serializers import answers, documents, requests
from durable_ops.api.serializers import functions as shapes
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.texts import json_text
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.selectors.functions import FunctionRow, list_functions
from execution_engine.selectors.versions import VersionStats, find_version, version_stats


class FunctionsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_functions", documents.page_of(shapes.FunctionDocument))
    def get(self, request: Request) -> Response:
        read(requests.EmptyBody, request.query_params.dict())
        return page(request, [answers.plain(one) for one in visible_functions(request)], None)


class FunctionView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_function", shapes.FunctionDetailDocument)
    def get(self, request: Request, name: str) -> Response:
        """Its versions, how they did lately, and what input the newest one takes."""
        read(requests.EmptyBody, request.query_params.dict())
        row = next((one for one in visible_functions(request) if one.name == name), None)
        newest = find_version(name) if row else None
        if row is None or newest is None:
            raise FunctionNotFoundError("There is no such function.", function=name[:100])
        stats = version_stats([name])
        versions = [{**answers.plain(one), "stats": _stats(stats.get(one.id, VersionStats()))} for one in row.versions]
        schema = json_text.parse_or_text(newest.input_schema or None)
        return Response({"name": name, "versions": versions, "input_schema": schema})


def visible_functions(request: Request) -> list[FunctionRow]:
    return list_functions(access_of(request.user).functions_for(Right.VIEW_EXECUTION))


def _stats(stats: VersionStats) -> dict[str, Any]:
    return {**answers.plain(stats), "success_rate": stats.success_rate}
