"""Executions that went wrong: pause, resume, redrive, fork, move; delete stands with the execution itself."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import repairs as actions
from durable_ops.actions.repairs import Replacement
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers import repairs as shapes
from durable_ops.api.serializers.executions import ExecutionDocument
from durable_ops.api.serializers.strict import read
from durable_ops.api.views.executions import parse_id, representation
from durable_ops.models import Right
from durable_ops.texts import json_text


class PauseView(RestView):
    rights: ClassVar = {"POST": Right.PAUSE_EXECUTION}

    @documents.commands("pause_execution", requests.PauseBody, {200: ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """PAUSED, or PAUSING while an invocation goes on to its next checkpoint. Timers and callbacks still complete."""
        body = read(requests.PauseBody, request.data)
        found_id = parse_id(execution_id)
        actions.pause_execution(actor_of(request), found_id, reason=body["reason"], pauses_timeout=body["pause_timeout"])
        return Response(representation(request, found_id))


class ResumeView(RestView):
    rights: ClassVar = {"POST": Right.PAUSE_EXECUTION}

    @documents.commands("resume_execution", requests.ReasonBody, {200: ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """Goes on, at once when it was cut short or something completed meanwhile."""
        body = read(requests.ReasonBody, request.data)
        found_id = parse_id(execution_id)
        actions.resume_execution(actor_of(request), found_id, reason=body["reason"])
        return Response(representation(request, found_id))


class RedriveView(RestView):
    rights: ClassVar = {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION}

    @documents.reads("plan_redrive", shapes.RepairPlanDocument, requests.RedriveQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """What a redrive would do, rehearsed with the code loaded here; changes nothing."""
        query = read(requests.RedriveQuery, request.query_params.dict())
        plan = actions.plan_redrive(actor_of(request), parse_id(execution_id), from_operation=query.get("from_operation") or None)
        return Response(shapes.repair_plan(plan))

    @documents.commands("redrive_execution", requests.RedriveBody, {200: ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """Goes on from the failure, or from an operation; what finished is not run again."""
        body = read(requests.RedriveBody, request.data)
        found_id = parse_id(execution_id)
        actions.redrive_execution(actor_of(request), found_id, reason=body["reason"], **_redriven(body))
        return Response(representation(request, found_id))


class RedrivePlanView(RestView):
    rights: ClassVar = {"POST": Right.REDRIVE_EXECUTION}

    @documents.commands("plan_redrive_of", requests.RedriveBody, {200: shapes.RepairPlanDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """What the redrive with this body would do, its values rehearsed too; changes nothing."""
        body = read(requests.RedriveBody, request.data)
        return Response(shapes.repair_plan(actions.plan_redrive(actor_of(request), parse_id(execution_id), **_redriven(body))))


class ForkView(RestView):
    rights: ClassVar = {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION}

    @documents.reads("plan_fork", shapes.RepairPlanDocument, requests.ForkQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """What a fork would begin with, rehearsed with the code of its version; changes nothing."""
        query = read(requests.ForkQuery, request.query_params.dict())
        chosen: dict[str, Any] = {name: query.get(name) or None for name in ("from_operation", "version")}
        return Response(shapes.repair_plan(actions.plan_fork(actor_of(request), parse_id(execution_id), **chosen)))

    @documents.commands("fork_execution", requests.ForkBody, {201: ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """A new execution that begins with what the old one had done; the old one is left as it is."""
        body = read(requests.ForkBody, request.data)
        forked = actions.fork_execution(
            actor_of(request),
            parse_id(execution_id),
            reason=body["reason"],
            from_operation=body.get("from_operation"),
            name=body.get("name"),
            version=body.get("version"),
            input=_replacement(body, "input"),
        )
        return Response(representation(request, forked.id), status=201)


class ForkPlanView(RestView):
    rights: ClassVar = {"POST": Right.REDRIVE_EXECUTION}

    @documents.commands("plan_fork_of", requests.ForkBody, {200: shapes.RepairPlanDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """What the fork with this body would begin with, its input rehearsed too; changes nothing."""
        body = read(requests.ForkBody, request.data)
        plan = actions.plan_fork(
            actor_of(request),
            parse_id(execution_id),
            from_operation=body.get("from_operation"),
            version=body.get("version"),
            input=_replacement(body, "input"),
        )
        return Response(shapes.repair_plan(plan))


class MoveView(RestView):
    rights: ClassVar = {"GET": Right.REDRIVE_EXECUTION, "POST": Right.REDRIVE_EXECUTION}

    @documents.reads("plan_move", shapes.MovePlanDocument, requests.MoveQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """What the code of another version would do with the execution; changes nothing."""
        query = read(requests.MoveQuery, request.query_params.dict())
        return Response(shapes.move_plan(actions.plan_move(actor_of(request), parse_id(execution_id), version=query["version"])))

    @documents.commands("move_execution", requests.MoveBody, {200: ExecutionDocument})
    def post(self, request: Request, execution_id: str) -> Response:
        """Goes on with another version of its function; 409 execution_diverges when that does not fit, unless forced with a reason."""
        body = read(requests.MoveBody, request.data)
        found_id = parse_id(execution_id)
        actions.move_execution(actor_of(request), found_id, version=body["version"], reason=body["reason"], force=body["force"])
        return Response(representation(request, found_id))


def _redriven(body: dict[str, Any]) -> dict[str, Any]:
    values = {name: _replacement(body, name) for name in ("result", "input")}
    return {"from_operation": body.get("from_operation"), **values}


def _replacement(body: dict[str, Any], name: str) -> Replacement | None:
    """A given value, null included, as JSON text."""
    return Replacement(json_text.compact(body[name])) if name in body else None
