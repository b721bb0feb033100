"""Batches: one act on many executions."""

from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import batches as actions
from durable_ops.actions.batch_export import exported_rows
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import newest, number_of, page
from durable_ops.api.serializers import batches as shapes
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers.strict import read
from durable_ops.models import Batch, BatchItem, Right
from durable_ops.permissions import access_of
from durable_ops.selectors import exports
from durable_ops.web.downloads import KINDS, download


class BatchesView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "POST": Right.VIEW_EXECUTION}

    @documents.reads("list_batches", documents.page_of(shapes.BatchDocument), requests.BatchesQuery)
    def get(self, request: Request) -> Response:
        """Newest first, without drafts."""
        query = read(requests.BatchesQuery, request.query_params.dict())
        return newest(request, visible(request).exclude(status=Batch.Status.DRAFT), query["limit"], representation)

    @documents.commands("create_batch", requests.BatchBody, {201: shapes.BatchDocument})
    def post(self, request: Request) -> Response:
        """Freezes the set, given by `ids` or `filters`; with a `reason` it begins at once, without one it waits for confirm."""
        body = read(requests.BatchBody, request.data)
        actor = actor_of(request)
        batch = actions.draft_batch(
            actor, act=body["action"], ids=body.get("ids") or (), query=body.get("filters"), to_version=body["version"]
        )
        if body["reason"].strip():
            batch = actions.confirm_batch(actor, batch.pk, reason=body["reason"])
        return Response(representation(batch), status=201)


class BatchView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_batch", shapes.BatchDocument)
    def get(self, request: Request, batch_id: int) -> Response:
        return Response(representation(find(request, batch_id)))


class BatchItemsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_batch_items", documents.page_of(shapes.BatchItemDocument), requests.BatchItemsQuery)
    def get(self, request: Request, batch_id: int) -> Response:
        """In the order of the set."""
        query = read(requests.BatchItemsQuery, request.query_params.dict())
        found = BatchItem.objects.filter(batch=find(request, batch_id), id__gt=number_of(request)).defer("row").order_by("id")
        found = found.filter(outcome=query["outcome"]) if query["outcome"] else found
        rows = list(found[: query["limit"] + 1])
        shown = rows[: query["limit"]]
        items = [shapes.batch_item(item) for item in shown]
        return page(request, items, shown[-1].pk if len(rows) > query["limit"] else None)


class BatchExportView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.streams("export_batch", requests.FileQuery, [KINDS["csv"], KINDS["jsonl"]])
    def get(self, request: Request, batch_id: int) -> StreamingHttpResponse:
        """What an export that has ended read, in the order of the set; 409 before that."""
        query = read(requests.FileQuery, request.query_params.dict())
        rows = exported_rows(find(request, batch_id), access_of(request.user))
        return download(exports.lines_of(rows, query["format"]), f"batch-{batch_id}", query["format"])


class ConfirmBatchView(RestView):
    rights: ClassVar = {"POST": Right.VIEW_EXECUTION}

    @documents.commands("confirm_batch", requests.ConfirmBatchBody, {200: shapes.BatchDocument})
    def post(self, request: Request, batch_id: int) -> Response:
        body = read(requests.ConfirmBatchBody, request.data)
        batch = actions.confirm_batch(actor_of(request), batch_id, reason=body["reason"], to_version=body["version"])
        return Response(representation(batch))


class AbortBatchView(RestView):
    rights: ClassVar = {"POST": Right.VIEW_EXECUTION}

    @documents.commands("abort_batch", requests.ReasonBody, {200: shapes.BatchDocument})
    def post(self, request: Request, batch_id: int) -> Response:
        """What is not done yet stays undone."""
        body = read(requests.ReasonBody, request.data)
        return Response(representation(actions.abort_batch(actor_of(request), batch_id, reason=body["reason"])))


class RetryBatchView(RestView):
    rights: ClassVar = {"POST": Right.VIEW_EXECUTION}

    @documents.commands("retry_batch", requests.ReasonBody, {201: shapes.BatchDocument})
    def post(self, request: Request, batch_id: int) -> Response:
        """A new batch of what failed or was not tried, begun at once."""
        body = read(requests.ReasonBody, request.data)
        return Response(representation(actions.retry_batch(actor_of(request), batch_id, reason=body["reason"])), status=201)


def representation(batch: Batch) -> dict[str, Any]:
    counts = dict(batch.items.values_list("outcome").annotate(number=Count("id")).order_by())
    return shapes.batch(batch, counts, list(batch.items.defer("row").order_by("id")[:10]))


def visible(request: Request) -> QuerySet[Batch]:
    return actions.visible_batches(access_of(request.user), request.user)


def find(request: Request, batch_id: int) -> Batch:
    """Raises BatchNotFoundError."""
    batch = visible(request).filter(pk=batch_id).first()
    if batch is None:
        raise actions.BatchNotFoundError("There is no such batch.", batch_id=batch_id)
    return batch
