"""Many executions at once: start them, or take the whole list as a file."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions.many_starts import Start, start_many
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.serializers import documents, many, requests
from durable_ops.api.serializers.strict import read
from durable_ops.api.views.executions import search_of
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.selectors import exports
from durable_ops.texts import json_text
from durable_ops.web.downloads import KINDS, download


class ManyStartsView(RestView):
    rights: ClassVar = {"POST": Right.START_EXECUTION}

    @documents.commands("start_many", many.ManyStartsBody, {200: many.ManyStartsDocument})
    def post(self, request: Request) -> Response:
        """Each as if it were started alone, but in one transaction: names are idempotent, a refused one holds up no other."""
        bodies = read(many.ManyStartsBody, request.data)["executions"]
        found = start_many(actor_of(request), [_start(body) for body in bodies])
        return Response(many.many_starts([body["function"] for body in bodies], found))


class ExportView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.streams("export_executions", requests.ExportQuery, [KINDS["csv"], KINDS["jsonl"]])
    def get(self, request: Request) -> StreamingHttpResponse:
        """The list with its filters as a file without payloads, newest first, sent page by page as it is read."""
        query = read(requests.ExportQuery, request.query_params.dict())
        filters = search_of(request, query)
        rows = exports.matching_rows(filters, access_of(request.user))
        return download(exports.lines_of(rows, query["format"]), "executions", query["format"])


def _start(body: Mapping[str, Any]) -> Start:
    given = {name: body.get(name) for name in ("version", "name", "attributes", "concurrency_key", "priority")}
    return Start(str(body["function"]), json_text.compact(body["input"]) if "input" in body else None, **given)
