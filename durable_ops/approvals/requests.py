"""Puts a question to people: the approval, who is asked, what they are shown, and a mail to each, in one commit with the callback."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from durable_ops.approvals import forms, mails, shown
from durable_ops.models import Approval, Assignee
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.ports import ApprovalPlace

_UNDECIDED = (Approval.Outcome.EXPIRED, Approval.Outcome.WITHDRAWN)


def ask(request: ApprovalRequest, place: ApprovalPlace) -> Approval:
    """Once per callback id; opens again what was closed without a decision, as a redrive lets the callback wait once more.

    Raises `ValidationError` for a group, user or permission that does not exist.
    """
    with transaction.atomic():
        found = Approval.objects.filter(callback_id=place.callback_id).first()
        if found is not None:
            return found if found.outcome not in _UNDECIDED else _open_again(found)
        _check_people(request)
        # An earlier question of the same place lost its callback to a redrive.
        earlier = Approval.objects.filter(execution_id=place.execution_id, operation_id=place.operation_id, closed_at=None)
        earlier.update(outcome=Approval.Outcome.WITHDRAWN, closed_at=Now())
        approval = _store(request, place)
        Assignee.objects.bulk_create(_assignees(approval, request))
        shown.remember(approval, shown.content_of(approval))
        mails.queue_request(approval)
    return approval


def _open_again(approval: Approval) -> Approval:
    approval.outcome, approval.closed_at = Approval.Outcome.OPEN, None
    approval.remind_at = Now() + timedelta(seconds=approval.remind_after) if approval.remind_after else None
    approval.save(update_fields=["outcome", "closed_at", "remind_at"])
    mails.queue_request(approval)
    return approval


def _store(request: ApprovalRequest, place: ApprovalPlace) -> Approval:
    object_type, object_id = request.object or ("", "")
    approval = Approval.objects.create(
        callback_id=place.callback_id,
        execution_id=place.execution_id,
        operation_id=place.operation_id,
        name=place.name or "",
        title=request.title,
        details=[[label, value] for label, value in request.details.items()],
        form=forms.schema_of(request.form),
        requester=request.requester or "",
        requester_may_approve=request.requester_may_approve,
        quorum=request.quorum,
        amount=request.amount,
        allow_link_decision=request.allow_link_decision,
        object_type=object_type,
        object_id=object_id,
        timeout=request.timeout,
        remind_after=request.remind_after,
        escalate_to=list(request.escalate_to),
    )
    # The database's clock, as `asked_at`.
    moments = {"remind_at": request.remind_after, "escalate_at": request.escalate_after}
    due = {field: F("asked_at") + timedelta(seconds=seconds) for field, seconds in moments.items() if seconds}
    if due:
        Approval.objects.filter(id=approval.id).update(**due)
    return approval


def _assignees(approval: Approval, request: ApprovalRequest) -> Iterable[Assignee]:
    kinds = {
        Assignee.Kind.USER: request.users,
        Assignee.Kind.GROUP: request.groups,
        Assignee.Kind.PERMISSION: (request.permission,) if request.permission else (),
    }
    return [Assignee(approval=approval, kind=kind, name=name) for kind, names in kinds.items() for name in names]


def _check_people(request: ApprovalRequest) -> None:
    users = get_user_model()
    name_field = users.USERNAME_FIELD
    known = set(users._default_manager.filter(**{f"{name_field}__in": request.users}).values_list(name_field, flat=True))
    _refuse_unknown("user", [name for name in request.users if name not in known])
    asked = {*request.groups, *request.escalate_to}
    groups = set(Group.objects.filter(name__in=asked).values_list("name", flat=True)) if asked else set()
    _refuse_unknown("group", sorted(asked - groups))
    if request.permission:
        app, _, codename = request.permission.partition(".")
        if not Permission.objects.filter(Q(content_type__app_label=app), codename=codename).exists():
            _refuse_unknown("permission", [request.permission])


def _refuse_unknown(what: str, names: list[str]) -> None:
    if names:
        raise ValidationError(f"there is no {what} {', '.join(names[:5])}: nobody could decide this approval")
