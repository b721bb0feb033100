"""Puts a question to people: approval, assignees, what they are shown and a mail to each, in one commit with the callback."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from durable_ops.approvals import assigning, forms, mails, shown
from durable_ops.models import Approval, Assignee
from durable_ops.webhooks.approval_events import announce
from durable_ops.webhooks.events import EventType
from execution_engine.models import Execution
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.ports import ApprovalPlace


@dataclass(frozen=True, slots=True)
class _Keys:
    """Primary keys, as text, of the users and groups that a request names."""

    users: Mapping[str, str]
    groups: Mapping[str, str]


_SAME = ("title", "requester_may_approve", "quorum", "amount", "allow_link_decision", "timeout", "remind_after")


def ask(request: ApprovalRequest, place: ApprovalPlace) -> Approval:
    """Once for each callback id, and again, with mails and for new decisions, after a redrive that lets the callback wait once more.

    Raises `ValidationError` for a group, user or permission that does not exist.
    """
    with transaction.atomic():
        found = Approval.objects.select_for_update().filter(callback_id=place.callback_id).first()
        redrive_count = Execution.objects.values_list("redrive_count", flat=True).get(id=place.execution_id)
        if found is not None and found.redrive_count == redrive_count:
            return found
        keys = _check_people(request)
        if found is None:
            # An earlier question at the same place lost its callback to a redrive.
            earlier = Approval.objects.filter(execution_id=place.execution_id, operation_id=place.operation_id, closed_at=None)
            earlier.update(outcome=Approval.Outcome.WITHDRAWN, closed_at=Now())
            found = Approval(callback_id=place.callback_id, execution_id=place.execution_id, operation_id=place.operation_id)
        found.name, found.redrive_count = place.name or "", redrive_count
        _store(found, request, keys)
        shown.remember(found, shown.content_of(found))
        mails.queue_request(found)
        announce(EventType.REQUESTED, found)
    return found


def _store(approval: Approval, request: ApprovalRequest, keys: _Keys) -> None:
    """Replaces what was asked and claimed before a redrive; decisions stay on record."""
    values = {name: getattr(request, name) for name in _SAME}
    object_type, object_id = request.object or ("", "")
    requester = request.requester or ""
    values |= {
        "details": [[label, value] for label, value in request.details.items()],
        "form": forms.schema_of(request.form),
        "requester": requester,
        "requester_key": keys.users.get(requester, ""),
        "object_type": object_type,
        "object_id": object_id,
        "escalate_to": [[keys.groups[name], name] for name in request.escalate_to],
        "outcome": Approval.Outcome.OPEN,
        "closed_at": None,
        "claimed_by": None,
        "claimed_at": None,
        "escalated_at": None,
        "reminders": 0,
    }
    for name, value in values.items():
        setattr(approval, name, value)
    approval.save()
    # All times are the database's.
    moments = {"remind_at": request.remind_after, "escalate_at": request.escalate_after}
    due = {field: Now() + timedelta(seconds=seconds) if seconds else None for field, seconds in moments.items()}
    Approval.objects.filter(pk=approval.pk).update(asked_at=Now(), **due)
    approval.refresh_from_db(fields=["asked_at", "details", *due])
    assigning.put_to(approval, _assignees(request, keys), instead=True)


def _assignees(request: ApprovalRequest, keys: _Keys) -> list[Assignee]:
    users = [Assignee(kind=Assignee.Kind.USER, key=keys.users[name], name=name) for name in request.users]
    groups = assigning.groups({name: keys.groups[name] for name in request.groups})
    permissions = [request.permission] if request.permission else []
    return [*users, *groups, *(Assignee(kind=Assignee.Kind.PERMISSION, key=name, name=name) for name in permissions)]


def _check_people(request: ApprovalRequest) -> _Keys:
    """The keys of the users and groups that are named, by name. A requester need not be a user."""
    users = get_user_model()
    name_field = users.USERNAME_FIELD
    named = {*request.users, *([request.requester] if request.requester else [])}
    found = users._default_manager.filter(**{f"{name_field}__in": named}).values_list(name_field, "pk") if named else ()
    known = {name: str(key) for name, key in found}
    _refuse_unknown("user", [name for name in request.users if name not in known])
    asked = {*request.groups, *request.escalate_to}
    groups = assigning.group_keys(asked)
    _refuse_unknown("group", sorted(asked - set(groups)))
    if request.permission:
        app, _, codename = request.permission.partition(".")
        if not Permission.objects.filter(Q(content_type__app_label=app), codename=codename).exists():
            _refuse_unknown("permission", [request.permission])
    return _Keys(known, groups)


def _refuse_unknown(what: str, names: list[str]) -> None:
    if names:
        raise ValidationError(f"there is no {what} {', '.join(names[:5])}: nobody could decide this approval")
