"""What the drawer shows of one operation: every attempt, who may answer, payloads, lines."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from durable_ops.approvals.inbox import visible_to
from durable_ops.dashboard.access import masks_for
from durable_ops.dashboard.htmx import token
from durable_ops.dashboard.logs import drawer_lines
from durable_ops.dashboard.payloads import Payload, is_tagged, make_payload, read_error
from durable_ops.models import Approval, Right
from durable_ops.permissions import has_right
from durable_ops.selectors.assignees import named
from execution_engine.core.enums import OperationType
from execution_engine.core.records import ErrorObject
from execution_engine.selectors.attempts import AttemptRow, list_attempts
from execution_engine.selectors.callbacks import find_callback
from execution_engine.selectors.executions import ExecutionDetail, ExecutionSummary, find_child
from execution_engine.selectors.history import list_events
from execution_engine.selectors.operations import OperationDetail, OperationRow, get_operation


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and its error, None if it did not fail or this reader may not see payloads."""

    row: AttemptRow
    error: ErrorObject | None


def operation_context(request: HttpRequest, execution: ExecutionDetail, operation_id: str) -> dict[str, Any]:
    """The context of `executions/operation.html`; `operation` is None for an unknown id."""
    found = get_operation(execution.summary.id, operation_id)
    if found is None:
        return {"operation": None}
    found = masks_for(request, execution.summary.function, execution.summary.id).operation(found)
    row = found.row
    current = token(row.status, row.attempt, row.due_at, row.ended_at)
    address = reverse("dashboard:operation", args=[execution.summary.id, row.id])
    return {
        "operation": row,
        "attempts": _attempts(request, execution.summary, found),
        "approval": _approval(request, row),
        "callback": find_callback(row.callback_id) if row.callback_id else None,
        "child_id": find_child(execution.summary.id, row.id) if row.type == OperationType.CHAINED_INVOKE else None,
        "operation_payloads": _payloads(request, execution.summary, found),
        "drawer_lines": drawer_lines(request, execution, row.id),
        "drawer_token": current,
        "drawer_url": f"{address}?seen={current}" if row.is_open and not execution.summary.is_terminal else None,
    }


def _attempts(request: HttpRequest, execution: ExecutionSummary, found: OperationDetail) -> list[Attempt]:
    """None for a step that was tried once, of which the facts above say everything."""
    row = found.row
    if row.type != OperationType.STEP or row.attempts < 2:
        return []
    listed = list_attempts(execution.id, row.id, since=row.start_event)
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.function):
        return [Attempt(one, None) for one in listed]
    masks = masks_for(request, execution.function, execution.id)
    # The error of the last attempt is the operation's own, and masked already.
    errors = [masks.text(one.error) if one.error else found.error if one.failed and one.due_at is None else None for one in listed]
    return [Attempt(one, read_error(error)) for one, error in zip(listed, errors, strict=True)]


def _approval(request: HttpRequest, row: OperationRow) -> Approval | None:
    if not row.callback_id:
        return None
    return visible_to(request.user).filter(callback_id=row.callback_id).prefetch_related(named()).first()


def _payloads(request: HttpRequest, execution: ExecutionSummary, found: OperationDetail) -> list[Payload] | None:
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.function):
        return None
    label = "Result" if found.row.ended_at else "State"
    texts = (("payload", label, found.payload), ("error", "Error", found.error), ("options", "Options", found.options))
    addresses = {key: reverse("dashboard:operation_payload", args=[execution.id, found.row.id, key]) for key, _, _ in texts}
    tagged = {"payload"} if is_tagged(found.row) else set()
    made = [make_payload(key, label, text, addresses[key], is_tagged=key in tagged) for key, label, text in texts]
    return [payload for payload in (_input(request, execution, found.row), *made) if payload is not None]


def _input(request: HttpRequest, execution: ExecutionSummary, row: OperationRow) -> Payload | None:
    """What an invoke gave to its child; only its first event has it."""
    if row.type != OperationType.CHAINED_INVOKE:
        return None
    first = masks_for(request, execution.function, execution.id).event(list_events(execution.id, after=row.start_event - 1, limit=1))
    given = first[0].get("ChainedInvokeStartedDetails", {}).get("Input", {}).get("Payload") if first else None
    return make_payload("input", "Input", given, reverse("dashboard:event", args=[execution.id, row.start_event]))
