"""Executions: get, history, list, stop, pause, resume, delete."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction

from durable_ops.actions import executions as actions
from durable_ops.actions import repairs
from durable_ops.actions.actor import Actor
from durable_ops.doors import repeats
from durable_ops.lambda_api import errors, queries
from durable_ops.lambda_api.door import LambdaView, execution_of, function_of, read_object
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.models import Right, StoredAnswer
from durable_ops.selectors.masking import masking_of
from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.core.identifiers import function_arn
from execution_engine.core.records import ErrorObject
from execution_engine.core.trace import as_amzn_trace
from execution_engine.selectors import aws_executions
from execution_engine.selectors.aws_executions import AwsExecution, StartedFilters
from execution_engine.selectors.executions import get_payloads
from execution_engine.selectors.history import list_events

MAX_REASON = 1024
MAX_STATUSES = 10
STATUSES = frozenset({*ExecutionStatus, "DELETING"})  # AWS's model has it; here deletion is done when it is answered
REASON = wire.Field("Reason", "reason", str, high=MAX_REASON)
CLIENT_TOKEN = wire.Field("ClientToken", "client_token", str, low=1, high=64, pattern=wire.VISIBLE)
TIMEOUT_PAUSED = wire.Field("ExecutionTimeoutPaused", "pauses_timeout", bool)


class ExecutionView(LambdaView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION, "DELETE": Right.DELETE_EXECUTION}

    def get(self, actor: Actor, _: bytes, arn: str) -> dict[str, Any]:
        """GetDurableExecution. Without `IncludeExecutionData`, data comes along for whoever may read it."""
        found = execution_of(actor, Right.VIEW_EXECUTION, arn)
        with_data = _with_data(actor, found, queries.boolean(self.request.GET, "IncludeExecutionData"))
        return {**_summary(found), **_detail(found), **(_data(actor, found) if with_data else {}), "ExecutionDataIncluded": with_data}

    def delete(self, actor: Actor, _: bytes, arn: str) -> Any:
        """DeleteDurableExecution."""
        found = execution_of(actor, Right.DELETE_EXECUTION, arn)
        repairs.delete_execution(actor, found.id)
        return self.answer({"DeletionRequestTimestamp": datetime.now(UTC)}, status=202)


class HistoryView(LambdaView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    def get(self, actor: Actor, _: bytes, arn: str) -> dict[str, Any]:
        """GetDurableExecutionHistory."""
        query, path = self.request.GET, self.request.path
        found = execution_of(actor, Right.VIEW_EXECUTION, arn)
        with_data = _with_data(actor, found, queries.boolean(query, "IncludeExecutionData"))
        limit, reverse = queries.max_items(query), bool(queries.boolean(query, "ReverseOrder"))
        place = queries.read_marker(path, query)
        after = 0 if place is None else place[0]
        reverse = reverse if place is None else place[1]
        events = list_events(found.id, after=after, limit=limit + 1, reverse=reverse, include_data=with_data)
        masks = masking_of(actor.access).of_execution(found.function, found.id)
        shown = [masks.event(event) for event in events[:limit]]
        marker = queries.write_marker(path, [shown[-1]["EventId"], reverse]) if len(events) > limit else None
        return {"Events": shown, **({"NextMarker": marker} if marker else {})}


class ExecutionsView(LambdaView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    def get(self, actor: Actor, _: bytes, function: str) -> dict[str, Any]:
        """ListDurableExecutionsByFunction: oldest first, newest first with `ReverseOrder`."""
        query, path = self.request.GET, self.request.path
        asked = function_of(function, query.get("Qualifier"))
        actor.require(Right.VIEW_EXECUTION, asked.name)
        filters = StartedFilters(
            version=asked.version,
            name=queries.text(query, "DurableExecutionName", high=64, pattern=wire.TOKEN),
            statuses=_statuses(query.getlist("Statuses")),
            after=queries.moment(query, "StartedAfter"),
            before=queries.moment(query, "StartedBefore"),
        )
        limit, newest_first = queries.max_items(query), bool(queries.boolean(query, "ReverseOrder"))
        place = queries.read_marker(path, query)
        after = None if place is None else (datetime.fromisoformat(place[0]), UUID(place[1]))
        newest_first = newest_first if place is None else place[2]
        rows = aws_executions.list_started(asked.name, filters, newest_first=newest_first, after=after, limit=limit + 1)
        if not rows and place is None and not aws_executions.is_function(asked.name, asked.version):
            raise FunctionNotFoundError(f"Function not found: {function}")
        shown, found = rows[:limit], {"DurableExecutions": [_summary(row) for row in rows[:limit]]}
        if len(rows) > limit:
            last = [shown[-1].started_at.isoformat(), str(shown[-1].id), newest_first]
            return {**found, "NextMarker": queries.write_marker(path, last)}
        return found


class StopView(LambdaView):
    rights: ClassVar = {"POST": Right.STOP_EXECUTION}
    # The service model of this call has no conflict.
    kinds: ClassVar = {**LambdaView.kinds, errors.CONFLICT: errors.INVALID_PARAMETER}

    def post(self, actor: Actor, body: bytes, arn: str) -> dict[str, Any]:
        """StopDurableExecution: the body is the error object that the execution keeps, or nothing."""
        found = execution_of(actor, Right.STOP_EXECUTION, arn)
        error = wire.read_error(read_object(body))
        return {"StopTimestamp": actions.stop_execution(actor, found.id, error=None if error == ErrorObject() else error)}


class PauseView(LambdaView):
    rights: ClassVar = {"POST": Right.PAUSE_EXECUTION}
    status: ClassVar = 202

    def post(self, actor: Actor, body: bytes, arn: str) -> dict[str, Any]:
        """PauseDurableExecution. With a `ClientToken` a call that is sent again answers again and changes nothing."""
        asked = wire.read((CLIENT_TOKEN, REASON, TIMEOUT_PAUSED), read_object(body))
        found = execution_of(actor, Right.PAUSE_EXECUTION, arn)
        with transaction.atomic():
            if _is_first(actor, self.request.path, asked):
                repairs.pause_execution(actor, found.id, reason=asked["reason"] or "", pauses_timeout=bool(asked["pauses_timeout"]))
        return {}


class ResumeView(LambdaView):
    rights: ClassVar = {"POST": Right.PAUSE_EXECUTION}
    status: ClassVar = 202

    def post(self, actor: Actor, body: bytes, arn: str) -> dict[str, Any]:
        """ResumeDurableExecution; `ClientToken` as for a pause."""
        asked = wire.read((CLIENT_TOKEN, REASON), read_object(body))
        found = execution_of(actor, Right.PAUSE_EXECUTION, arn)
        with transaction.atomic():
            if _is_first(actor, self.request.path, asked):
                repairs.resume_execution(actor, found.id, reason=asked["reason"] or "")
        return {}


def _is_first(actor: Actor, path: str, asked: Mapping[str, Any]) -> bool:
    """False for a call that was done before. Raises LambdaError for a token that came with something else."""
    token = asked["client_token"]
    if token is None:
        return True
    assert actor.key is not None
    digest, content = repeats.digest(f"key {actor.key.pk}", path, token), repeats.digest(json.dumps(asked, sort_keys=True))
    if repeats.claim(digest, content):
        StoredAnswer.objects.filter(digest=digest).update(status=202)
        return True
    if bytes(StoredAnswer.objects.get(digest=digest).body_digest) != content:
        raise LambdaError(errors.INVALID_PARAMETER, "This ClientToken was used for another request.")
    return False


def _summary(found: AwsExecution) -> dict[str, Any]:
    settings = engine_settings()
    summary = {
        "DurableExecutionArn": found.arn,
        "DurableExecutionName": found.name,
        "FunctionArn": function_arn(settings.REGION, settings.ACCOUNT, found.function),
        "Status": found.status,
        "StartTimestamp": found.started_at,
        "EndTimestamp": found.ended_at,
    }
    return _present(summary)


def _detail(found: AwsExecution) -> dict[str, Any]:
    trace, pause = as_amzn_trace(found.traceparent), found.pause
    detail = {
        "Version": found.version,
        "TraceHeader": {"XAmznTraceId": trace} if trace else None,
        "DurableConfig": _present({"RetentionPeriodInDays": found.retention_days, "ExecutionTimeout": found.execution_timeout}),
        "ExpectedExecutionTimeoutTimestamp": None if found.ended_at else found.deadline_at,
        "PauseDetails": None if pause is None or found.ended_at else _pause(pause),
    }
    return _present(detail)


def _pause(pause: Mapping[str, Any]) -> dict[str, Any]:
    asked = datetime.fromisoformat(pause["PauseRequestTimestamp"])
    details = {"PauseRequestTimestamp": asked, "Reason": pause.get("Reason")}
    return {**_present(details), "ExecutionTimeoutPaused": bool(pause.get("ExecutionTimeoutPaused"))}


def _data(actor: Actor, found: AwsExecution) -> dict[str, Any]:
    payloads = masking_of(actor.access).of_execution(found.function, found.id).payloads(get_payloads(found.id))
    error = None if payloads.error is None else json.loads(payloads.error)
    return _present({"InputPayload": payloads.input, "Result": payloads.result, "Error": error})


def _with_data(actor: Actor, found: AwsExecution, wanted: bool | None) -> bool:
    """Absent, data comes along for whoever may read it; asked for without the right, it is refused."""
    if wanted is None:
        return actor.may(Right.VIEW_PAYLOAD, found.function)
    if wanted:
        actor.require(Right.VIEW_PAYLOAD, found.function)
    return wanted


def _statuses(given: list[str]) -> list[str]:
    if len(given) > MAX_STATUSES:
        raise wire.refused("", "Statuses", f"must have at most {MAX_STATUSES} members", value=len(given), limit=MAX_STATUSES)
    if wrong := [status for status in given if status not in STATUSES]:
        raise wire.refused("", "Statuses", f"must be one of {', '.join(sorted(STATUSES))}", value=wrong[0])
    return given


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
