"""Functions that workers registered."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.paging import page
from durable_ops.api.serializers import answers, documents, requests
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from execution_engine.selectors.functions import list_functions


class FunctionsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_functions", documents.page_of(documents.FunctionDocument))
    def get(self, request: Request) -> Response:
        read(requests.EmptyBody, request.query_params.dict())
        return page(request, [answers.plain(one) for one in list_functions()], None)
