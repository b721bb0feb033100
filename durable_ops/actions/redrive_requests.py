"""Edited redrives that need a second person: one asks with the values, somebody else confirms exactly these or rejects them.

Lock order: the request's row, then (in the engine) the execution's.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from durable_ops.actions import repairs
from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import size
from durable_ops.actions.repairs import Replacement
from durable_ops.actions.rows import the_one
from durable_ops.approvals import confirmers
from durable_ops.audit import log
from durable_ops.models import RedriveRequest, Right
from durable_ops.permissions import Access, RightMissingError, access_of
from durable_ops.selectors.masking import masking_of
from execution_engine.core.errors import CommandError, InvalidInputError
from execution_engine.selectors.executions import get_execution

WAITS = timedelta(hours=24)
KEPT = timedelta(days=90)
LONGEST_REASON = 1_000


class RequestNotFoundError(CommandError):
    code = "redrive_request_not_found"
    status = 404


class RequestOverError(CommandError):
    """The request was decided or withdrawn, or has waited for too long."""

    code = "redrive_request_over"
    status = 409


class RequestChangedError(CommandError):
    """What is confirmed is not what was shown, or the execution has changed since the request was made."""

    code = "redrive_request_changed"
    status = 409


class SamePersonError(CommandError):
    """The requester cannot be the second person."""

    code = "same_person"
    status = 403


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: at least one of `result`, for `from_operation`, and `input`."""

    reason: str
    from_operation: str | None = None
    result: Replacement | None = None
    input: Replacement | None = None


def ask(actor: Actor, execution_id: UUID, wish: Wish) -> RedriveRequest:
    """Asks for an edited redrive. The request waits for 24 hours; nothing is done to the execution meanwhile.

    Raises PermissionDenied, ExecutionNotFoundError, ExecutionNotEndedError, InvalidInputError, PayloadTooLargeError, and RequestOverError
    when another request waits already.
    """
    actor.require_on(Right.REPLACE_VALUE, execution_id)
    _check_words(wish.reason, "reason")
    if wish.result is None and wish.input is None:
        raise InvalidInputError("Nothing is replaced: this redrive needs no second person.", field="input")
    repairs.plan_redrive(actor, execution_id, from_operation=wish.from_operation, result=wish.result, input=wish.input)  # refuses
    detail = get_execution(execution_id)
    request = RedriveRequest(
        execution_id=execution_id,
        function=detail.summary.function,
        execution_name=detail.summary.name,
        redrive_count=detail.redrive_count,
        from_operation=wish.from_operation,
        replaces_result=wish.result is not None,
        result=wish.result.text if wish.result else None,
        replaces_input=wish.input is not None,
        input=wish.input.text if wish.input else None,
        reason=wish.reason.strip(),
        requester=actor.user,
        requester_name=actor.name,
        expires_at=timezone.now() + WAITS,
    )
    request.digest = _digest(request)
    try:
        with transaction.atomic():
            _end_expired(RedriveRequest.objects.filter(execution_id=execution_id))
            request.save()
            confirmers.queue(request)
            log.append(actor, _act("redrive_request.ask", request, request.reason, **_sizes(request)))
    except IntegrityError as error:
        words = "Another edited redrive of this execution waits for a second person."
        raise RequestOverError(words, execution_id=str(execution_id)) from error
    return request


def confirm(actor: Actor, request_id: int, *, shown: str, comment: str = "") -> int:
    """Redrives with exactly what the digest `shown` names, as a second person. Returns how often the execution was redriven.

    Raises PermissionDenied, RequestNotFoundError, RequestOverError, RequestChangedError, SamePersonError, and what a redrive raises.
    """
    _check_words(comment, "comment", least=0)
    with transaction.atomic():
        request = _locked(actor, request_id)
        _require_second_person(actor, request)
        if shown != request.digest or _digest(request) != request.digest:
            raise RequestChangedError("This is not what was asked for: look again.", request_id=request_id)
        if get_execution(request.execution_id).redrive_count != request.redrive_count:
            raise RequestChangedError("The execution was redriven since this was asked for.", request_id=request_id)
        if not _may_still_ask(request):
            raise RequestOverError("Whoever asked may no longer redrive with other values.", request_id=request_id)
        count = repairs.carry_out_redrive(
            actor,
            request.execution_id,
            reason=request.reason,
            from_operation=request.from_operation,
            result=Replacement(request.result) if request.replaces_result else None,
            input=Replacement(request.input) if request.replaces_input else None,
            asked_by=request.requester_name,
            request=request.pk,
        )
        _decide(request, RedriveRequest.Outcome.CONFIRMED, actor, comment)
    return count


def reject(actor: Actor, request_id: int, *, comment: str) -> None:
    """Raises as `confirm`, and InvalidInputError without a comment."""
    _check_words(comment, "comment")
    with transaction.atomic():
        request = _locked(actor, request_id)
        _require_second_person(actor, request)
        _decide(request, RedriveRequest.Outcome.REJECTED, actor, comment)
        log.append(actor, _act("redrive_request.reject", request, comment))


def withdraw(actor: Actor, request_id: int) -> None:
    """For the requester only. Raises RequestNotFoundError, RequestOverError, PermissionDenied."""
    with transaction.atomic():
        request = _locked(actor, request_id)
        if actor.user is None or request.requester_id != actor.user.pk:
            raise RightMissingError(Right.REPLACE_VALUE)
        _decide(request, RedriveRequest.Outcome.WITHDRAWN, actor, "")
        log.append(actor, _act("redrive_request.withdraw", request, ""))


def visible_requests(access: Access, user: Any) -> QuerySet[RedriveRequest]:
    """One's own requests, as far as a key may see their functions, and those that one may confirm."""
    limits = access.functions_of_key()
    own = Q(requester_id=user.pk) & (Q() if limits is None else Q(function__in=sorted(limits)))
    functions = access.functions_for(Right.CONFIRM_REDRIVE)
    theirs = Q() if functions is None else Q(function__in=sorted(functions) or [""]) | own
    return RedriveRequest.objects.filter(theirs).select_related("requester").order_by("-id")


def visible_request(access: Access, user: Any, request_id: int) -> RedriveRequest:
    """One of `visible_requests`. Raises RequestNotFoundError."""
    return _found(visible_requests(access, user), request_id)


def is_open(request: RedriveRequest) -> bool:
    """Whether somebody may still decide the request."""
    return request.outcome == "" and request.expires_at > timezone.now()


def forget_old(_: Any = None) -> None:
    """A duty: removes the values of requests that are over, and the requests themselves after 90 days."""
    _end_expired(RedriveRequest.objects.all())
    RedriveRequest.objects.filter(created_at__lt=Now() - KEPT).exclude(outcome="").delete()


def _end_expired(found: QuerySet[RedriveRequest]) -> None:
    found.filter(outcome="", expires_at__lte=Now()).update(**_over(RedriveRequest.Outcome.WITHDRAWN, "", "It expired."))


def _locked(actor: Actor, request_id: int) -> RedriveRequest:
    found = visible_requests(actor.access, actor.user) if actor.user is not None else RedriveRequest.objects.none()
    request = _found(found.select_for_update(of=("self",)), request_id)
    if not is_open(request):
        raise RequestOverError("This request is over.", request_id=request_id, outcome=request.outcome or "expired")
    return request


def _found(requests: QuerySet[RedriveRequest], request_id: int) -> RedriveRequest:
    return the_one(requests.filter(pk=request_id), RequestNotFoundError("There is no such request.", request_id=request_id))


def _require_second_person(actor: Actor, request: RedriveRequest) -> None:
    """The second person must see everything that they confirm."""
    if confirmers.is_requester(actor.user, request):
        raise SamePersonError("You asked for it yourself: somebody else has to confirm.", request_id=request.pk)
    for right in (Right.CONFIRM_REDRIVE, Right.VIEW_PAYLOAD):
        actor.require(right, request.function)
    if masking_of(actor.access).of(request.function).paths:
        raise RightMissingError(Right.VIEW_MASKED)


def _may_still_ask(request: RedriveRequest) -> bool:
    access = None if request.requester is None else access_of(request.requester)
    needed = (Right.REDRIVE_EXECUTION, Right.REPLACE_VALUE)
    return access is not None and all(access.may(right, request.function) for right in needed)


def _decide(request: RedriveRequest, outcome: str, actor: Actor, comment: str) -> None:
    RedriveRequest.objects.filter(pk=request.pk).update(**_over(outcome, actor.name, comment.strip()))


def _over(outcome: str, by: str, comment: str) -> dict[str, Any]:
    return {"outcome": outcome, "decided_by": by, "decided_at": Now(), "comment": comment, "result": None, "input": None}


def _digest(request: RedriveRequest) -> str:
    """Keyed, because it stands in the audit log, where nobody shall find values by trying. A new SECRET_KEY makes waiting requests void."""
    names = ("redrive_count", "from_operation", "replaces_result", "result", "replaces_input", "input", "reason")
    content = [str(request.execution_id), *(getattr(request, name) for name in names)]
    return salted_hmac("durable_ops.redrive_requests", json.dumps(content), algorithm="sha256").hexdigest()


def _sizes(request: RedriveRequest) -> dict[str, Any]:
    facts: dict[str, Any] = {"from_operation": request.from_operation, "digest": request.digest}
    for name in ("result", "input"):
        if getattr(request, f"replaces_{name}"):
            facts[f"{name}_bytes"] = size(getattr(request, name))
    return facts


def _check_words(text: str, field: str, *, least: int = 1) -> None:
    if not least <= len(text.strip()) <= LONGEST_REASON or "\x00" in text:
        raise InvalidInputError(f"Say why, in {least} to {LONGEST_REASON} characters.", field=field, limit=LONGEST_REASON)


def _act(action: str, request: RedriveRequest, reason: str, **facts: Any) -> log.Act:
    return log.Act(action, "redrive_request", str(request.pk), execution_id=request.execution_id, reason=reason, facts=facts)
