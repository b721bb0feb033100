"""Schedules: what starts by the clock, and what it started."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import schedules as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.etags import require_match
from durable_ops.api.paging import cursor_of, page
from durable_ops.api.serializers import answers, documents, requests
from durable_ops.api.serializers import schedules as shapes
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right
from durable_ops.permissions import access_of
from execution_engine.selectors import schedules as reads
from execution_engine.selectors.schedules import ScheduleRow


class SchedulesView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "POST": Right.MANAGE_SCHEDULES}

    @documents.reads("list_schedules", documents.page_of(shapes.ScheduleDocument), requests.PageQuery)
    def get(self, request: Request) -> Response:
        """By name."""
        query = read(requests.PageQuery, request.query_params.dict())
        visible = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
        rows = reads.list_schedules(visible, after_name=cursor_of(request), limit=query["limit"] + 1)
        shown = rows[: query["limit"]]
        access = access_of(request.user)
        return page(request, [shapes.schedule(row, access) for row in shown], shown[-1].name if len(rows) > query["limit"] else None)

    @documents.commands("create_schedule", shapes.CreateScheduleBody, {201: shapes.ScheduleDetailDocument})
    def post(self, request: Request) -> Response:
        """Its first firing is the next moment of its rule; intervals count from now."""
        body = read(shapes.CreateScheduleBody, request.data)
        row = actions.create_schedule(actor_of(request), shapes.schedule_values(body), reason=body["reason"])
        return Response(_detail(request, row), status=201)


class SchedulePreviewView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("preview_schedule", shapes.PreviewDocument, shapes.PreviewQuery)
    def get(self, request: Request) -> Response:
        """The next ten moments of a rule that need not be saved."""
        query = read(shapes.PreviewQuery, request.query_params.dict())
        rule = shapes.rule_of(query) or ""
        return Response({"moments": [answers.plain(one) for one in reads.preview(rule, query.get("timezone") or "UTC")]})


class ScheduleView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "PATCH": Right.MANAGE_SCHEDULES, "DELETE": Right.MANAGE_SCHEDULES}

    @documents.reads("get_schedule", shapes.ScheduleDetailDocument)
    def get(self, request: Request, schedule_id: int) -> Response:
        """With the next ten moments and what came of the last ten."""
        return Response(_detail(request, actions.find(actor_of(request), schedule_id)))

    @documents.changes("change_schedule", shapes.ChangeScheduleBody, {200: shapes.ScheduleDetailDocument})
    def patch(self, request: Request, schedule_id: int) -> Response:
        """Changes what the body names; with If-Match only what the caller has read. A new rule counts from now."""
        body = read(shapes.ChangeScheduleBody, request.data)
        before = self._matched(request, schedule_id)
        values = shapes.schedule_values(body, actions.values_of(before))
        row = actions.change_schedule(actor_of(request), schedule_id, values, revision=before.revision, reason=body["reason"])
        return Response(_detail(request, row))

    @documents.changes("delete_schedule", None, {204: None})
    def delete(self, request: Request, schedule_id: int) -> Response:
        """For good; what it started goes on."""
        query = read(requests.ReasonBody, request.query_params.dict())
        self._matched(request, schedule_id)
        actions.delete_schedule(actor_of(request), schedule_id, reason=query["reason"])
        return Response(status=204)

    def _matched(self, request: Request, schedule_id: int) -> ScheduleRow:
        row = actions.find(actor_of(request), schedule_id, Right.MANAGE_SCHEDULES)
        require_match(request, _detail(request, row))
        return row


class PauseScheduleView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_SCHEDULES}

    @documents.commands("pause_schedule", requests.ReasonBody, {200: shapes.ScheduleDetailDocument})
    def post(self, request: Request, schedule_id: int) -> Response:
        """What falls due in a pause is not made up for."""
        body = read(requests.ReasonBody, request.data)
        row = actions.pause_schedule(actor_of(request), schedule_id, is_paused=True, reason=body["reason"])
        return Response(_detail(request, row))


class ResumeScheduleView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_SCHEDULES}

    @documents.commands("resume_schedule", requests.ReasonBody, {200: shapes.ScheduleDetailDocument})
    def post(self, request: Request, schedule_id: int) -> Response:
        """It fires again at its next moment."""
        body = read(requests.ReasonBody, request.data)
        row = actions.pause_schedule(actor_of(request), schedule_id, is_paused=False, reason=body["reason"])
        return Response(_detail(request, row))


class TriggerScheduleView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_SCHEDULES}

    @documents.commands("trigger_schedule", requests.ReasonBody, {200: shapes.TriggeredDocument})
    def post(self, request: Request, schedule_id: int) -> Response:
        """Fires now, paused or not, whatever is open; twice in one second is once."""
        body = read(requests.ReasonBody, request.data)
        execution_id, name = actions.trigger_schedule(actor_of(request), schedule_id, reason=body["reason"])
        return Response({"name": name, "execution_id": answers.plain(execution_id)})


class BackfillScheduleView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_SCHEDULES}

    @documents.commands("backfill_schedule", shapes.RangeBody, {200: shapes.BackfilledDocument})
    def post(self, request: Request, schedule_id: int) -> Response:
        """Starts the firings of a range that is over, but for those that were started before: at most 1,000."""
        body = read(shapes.RangeBody, request.data)
        start, end = body["start"], body["end"]
        row = actions.find(actor_of(request), schedule_id, Right.MANAGE_SCHEDULES)
        started: list[str] | None = None
        if body["dry_run"]:
            firings = actions.backfill_count(row, start, end, timezone.now())
        else:
            found, firings = actions.backfill_schedule(actor_of(request), schedule_id, start, end, reason=body["reason"])
            started = [str(one) for one in found]
        return Response({"firings": firings, "note": None if firings else actions.why_none(row, start, end), "started": started})


def _detail(request: Request, row: ScheduleRow) -> dict[str, Any]:
    return shapes.schedule_detail(row, access_of(request.user))
