"""Where the time of an execution went."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.paging import number_of, page
from durable_ops.api.serializers import documents, timeline
from durable_ops.api.serializers.strict import read
from durable_ops.api.views.executions import parse_id
from durable_ops.models import Right
from execution_engine.selectors.executions import get_execution
from execution_engine.selectors.timeline import get_timeline


class TimelineView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_timeline", timeline.TimelineDocument, timeline.TimelineQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """Queued, running, waiting and waiting to retry, of the execution and of each operation."""
        query = read(timeline.TimelineQuery, request.query_params.dict())
        after = number_of(request)
        opened = [one for one in query["open"].split(",") if one][: timeline.MAX_OPENED]
        found = get_timeline(get_execution(parse_id(execution_id)), after=after, limit=query["limit"], opened=opened)
        answer = page(request, [timeline.lane(one) for one in found.lanes], found.next_after)
        answer.data |= timeline.timeline_head(found)
        return answer
