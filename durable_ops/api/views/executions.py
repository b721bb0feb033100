"""Executions: start, list, look at, stop, signal."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops import permissions
from durable_ops.actions import executions as actions
from durable_ops.actions import repairs
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.etags import is_known, not_modified
from durable_ops.api.paging import cursor_of, number_of, page
from durable_ops.api.serializers import answers, documents, requests
from durable_ops.api.serializers import executions as shapes
from durable_ops.api.serializers.explanations import ExplanationDocument, explanation
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from durable_ops.selectors.explanations import explain
from durable_ops.selectors.log_search import find_lines
from durable_ops.selectors.masking import Masks, masking_of
from durable_ops.selectors.searches import read_search
from durable_ops.texts import json_text
from execution_engine.core.errors import ExecutionNotFoundError, InvalidInputError
from execution_engine.selectors.change_tags import read_change_tag
from execution_engine.selectors.executions import (
    ExecutionSummary,
    get_execution,
    get_execution_with_payloads,
    get_payloads,
    list_executions,
)
from execution_engine.selectors.history import list_events
from execution_engine.selectors.logs import operation_ends
from execution_engine.selectors.operations import list_operations
from execution_engine.selectors.search import ExecutionFilters


class ExecutionsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "POST": Right.START_EXECUTION}
    quick: ClassVar = {"POST"}  # who and what may start took longer to read than the start to write

    @documents.reads("list_executions", documents.page_of(shapes.ExecutionSummaryDocument), requests.ExecutionsQuery)
    def get(self, request: Request) -> Response:
        """Newest first, without payloads."""
        query = read(requests.ExecutionsQuery, request.query_params.dict())
        masking = masking_of(permissions.access_of(request.user))
        found = list_executions(search_of(request, query), cursor_of(request) or None, query["limit"])
        return page(request, [shapes.execution_summary(one) for one in masking.summaries(found.items)], found.next_cursor)

    @documents.commands("start_execution", requests.StartBody, {201: shapes.ExecutionDocument, 200: shapes.ExecutionDocument})
    def post(self, request: Request) -> Response:
        """201 for a new one, 200 when an execution of this name and input is there, 409 with another input."""
        body = read(requests.StartBody, request.data)
        started = actions.start_execution(
            actor_of(request),
            function=body["function"],
            input=json_text.compact(body["input"]) if "input" in body else None,
            version=body.get("version"),
            name=body.get("name"),
            attributes=body.get("attributes"),
            concurrency_key=body.get("concurrency_key"),
            priority=body.get("priority"),
        )
        return Response(representation(request, started.id), status=201 if started.created else 200)


class ExecutionView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "DELETE": Right.DELETE_EXECUTION}

    @documents.reads("get_execution", shapes.ExecutionDocument)
    def get(self, request: Request, execution_id: str) -> Response:
        """Its ETag does not change with its age: `duration` of an open one is as of the answer."""
        found_id = parse_id(execution_id)
        tag = _tag(request, found_id)
        if is_known(request, tag):
            return not_modified(tag)
        return Response(representation(request, found_id), headers={"ETag": tag})

    @documents.commands("delete_execution", None, {204: None})
    def delete(self, request: Request, execution_id: str) -> Response:
        """Removes an ended execution with its operations and history, for good."""
        query = read(requests.ReasonBody, request.query_params.dict())
        repairs.delete_execution(actor_of(request), parse_id(execution_id), reason=query["reason"])
        return Response(status=204)


class ExplainView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("explain_execution", ExplanationDocument)
    def get(self, request: Request, execution_id: str) -> Response:
        """Why it does not move, as a tree of causes."""
        return Response(explanation(explain(parse_id(execution_id), access=permissions.access_of(request.user))))


class LogsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_PAYLOAD}

    @documents.reads("list_logs", documents.page_of(shapes.LogLineDocument), requests.LogsQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """What the handler printed and logged, in order; with `kind` operations, how each operation ended, as structured events."""
        query = read(requests.LogsQuery, request.query_params.dict())
        found_id, limit = parse_id(execution_id), query["limit"]
        masks = masks_for(request, get_execution(found_id).summary)
        if query["kind"] == "operations":
            ended = list(operation_ends(found_id, after=number_of(request), limit=limit + 1))
            shown = [masks.value(answers.plain(one)) for one in ended[:limit]]
            return page(request, shown, ended[limit - 1].start_event if len(ended) > limit else None)
        asked = {"operation_id": query.get("operation") or None, "text": query["text"], "level": query["level"]}
        lines, following = find_lines(masks, found_id, **asked, after=number_of(request), limit=limit)
        return page(request, [answers.plain(line) for line in lines], following)


class HistoryView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_history", documents.page_of(shapes.EventDocument), requests.HistoryQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """AWS Event objects."""
        query = read(requests.HistoryQuery, request.query_params.dict())
        found_id, limit = parse_id(execution_id), query["limit"]
        masks = masks_for(request, get_execution(found_id).summary)
        may_read = permissions.access_of(request.user).may_on(Right.VIEW_PAYLOAD, found_id)
        with_data = self._with_data(query["include_execution_data"], may_read=may_read)
        events = list_events(found_id, after=number_of(request), limit=limit + 1, reverse=query["reverse_order"], include_data=with_data)
        shown = [masks.event(answers.plain(event)) for event in events[:limit]]
        return page(request, shown, shown[-1]["EventId"] if len(events) > limit else None)

    def _with_data(self, wanted: bool | None, *, may_read: bool) -> bool:
        """Absent, data comes along for whoever may read it; asked for without the right, it is refused."""
        if wanted is None:
            return may_read
        if wanted and not may_read:
            raise permissions.RightMissingError(Right.VIEW_PAYLOAD)
        return wanted


class OperationsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("list_operations", documents.page_of(shapes.OperationDocument), requests.OperationsQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """In order of start."""
        query = read(requests.OperationsQuery, request.query_params.dict())
        found_id, limit = parse_id(execution_id), query["limit"]
        get_execution(found_id)
        rows = list_operations(found_id, after=number_of(request), limit=limit + 1)
        shown = rows[:limit]
        return page(request, [shapes.operation(one) for one in shown], shown[-1].start_event if len(rows) > limit else None)


class StopView(RestView):
    rights: ClassVar = {"POST": Right.STOP_EXECUTION}

    @documents.commands("stop_execution", requests.StopBody, {200: shapes.ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """Ends it STOPPED, whatever it is doing; finished steps are not undone, children go on."""
        body = read(requests.StopBody, request.data)
        found_id = parse_id(execution_id)
        actions.stop_execution(actor_of(request), found_id, reason=body["reason"], error=body["error"])
        return Response(representation(request, found_id))


class SignalView(RestView):
    rights: ClassVar = {"POST": Right.SIGNAL_EXECUTION}

    @documents.commands("send_signal", requests.SignalBody, {200: shapes.ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """Kept until the execution waits for a signal of this name."""
        body = read(requests.SignalBody, request.data)
        payload = json_text.compact(body["payload"]) if "payload" in body else None
        found_id = parse_id(execution_id)
        actions.send_signal(actor_of(request), found_id, name=body["name"], payload=payload)
        return Response(representation(request, found_id))


def representation(request: Request, execution_id: UUID) -> dict[str, Any]:
    """One execution as this person may see it."""
    access = permissions.access_of(request.user)
    if access.has_all(Right.VIEW_PAYLOAD):
        detail, payloads = get_execution_with_payloads(execution_id)
        masks = masks_for(request, detail.summary)
        return shapes.execution_detail(masks.detail(detail), masks.payloads(payloads))
    detail = get_execution(execution_id)
    masks = masks_for(request, detail.summary)
    may_read = access.may(Right.VIEW_PAYLOAD, detail.summary.function)
    return shapes.execution_detail(masks.detail(detail), masks.payloads(get_payloads(execution_id)) if may_read else None)


def masks_for(request: Request, shown: ExecutionSummary) -> Masks:
    return masking_of(permissions.access_of(request.user)).of_execution(shown.function, shown.id)


def _tag(request: Request, execution_id: UUID) -> str:
    """Weak, as the body also holds ages. People from whom payloads or fields of them are hidden get a tag of their own."""
    access = permissions.access_of(request.user)
    seen = masking_of(access).tag if access.may_on(Right.VIEW_PAYLOAD, execution_id) else "-"
    return f'W/"{read_change_tag(execution_id)}{seen}"'


def search_of(request: Request, query: Mapping[str, Any]) -> ExecutionFilters:
    """What the query's keys narrow the list to. Raises InvalidInputError for a part that is not understood."""
    search = read_search({key: str(value) for key, value in query.items()}, permissions.access_of(request.user))
    if search.problems:
        raise InvalidInputError(search.problems[0].text, field=search.problems[0].key)
    return search.filters


def parse_id(text: str) -> UUID:
    """An id of the wrong shape is the id of nothing. Raises ExecutionNotFoundError."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise ExecutionNotFoundError("There is no such execution.", execution_id=text[:100])
    return found
