"""Which approvals a person sees: their own, those of their groups, all open ones, the decided ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from durable_ops.approvals import shown
from durable_ops.approvals.facts import ends_at, person_of, question_of, waits, with_mailboxes
from durable_ops.approvals.policy import Person, Question, Refusal, refusal
from durable_ops.approvals.reading import readable_details
from durable_ops.models import Approval, Assignee, Decision, Right
from durable_ops.permissions import access_of
from durable_ops.selectors.assignees import named
from execution_engine.models import Execution
from execution_engine.selectors.callbacks import CallbackRow, callback_states

PAGE = 50
COUNTED = 99


class Box(StrEnum):
    MINE = "mine"
    GROUPS = "groups"
    ALL = "all"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Row:
    """An approval in a list; `callback` is None once its execution was purged.

    `approve_refusal` and `reject_refusal` say why this person may not, None when they may.
    `digest` names what the row shows, and is empty where the row does not show all: a linked row, or fields that are asked.
    """

    approval: Approval
    callback: CallbackRow | None
    decisions: tuple[Decision, ...]
    approve_refusal: Refusal | None
    reject_refusal: Refusal | None
    digest: str = ""
    details: Sequence[Sequence[Any]] = ()

    @property
    def ends_at(self) -> datetime | None:
        return ends_at(self.approval, self.callback)

    @property
    def is_waiting(self) -> bool:
        return self.approval.closed_at is None and waits(self.approval, self.callback)


def rows(user: Any, box: Box, *, text: str = "", before: int | None = None) -> list[Row]:
    """One page and one row more, so that the caller knows whether another follows. Open ones oldest first, decided ones newest first.

    `before` is the id of the last approval of the page before. A person sees what is put to them and what they asked for or decided;
    whoever may see executions of a function sees all its approvals. Ten queries at most, whatever the length.
    """
    found = _box(user, box)
    if text:
        found = found.filter(Q(title__icontains=text) | Q(requester__iexact=text) | Q(name__iexact=text))
    if box is Box.DECIDED:
        found = (found.filter(pk__lt=before) if before else found).order_by("-pk")
    else:
        found = (found.filter(pk__gt=before) if before else found).order_by("pk")
    return _rows(list(found.select_related("claimed_by").prefetch_related("decisions", named())[: PAGE + 1]), user)


def waiting_for(user: Any) -> int:
    """How many wait for this person, counted up to 100. One query, and one for their rights."""
    return _asked(user, Approval.objects.filter(closed_at=None)).exclude(_has_decided(user, now=True))[: COUNTED + 1].count()


def of_object(instance: Any) -> QuerySet[Approval]:
    """Approvals of a Django row, newest first, in one indexed query."""
    return Approval.objects.filter(object_type=instance._meta.label_lower, object_id=str(instance.pk)).order_by("-pk")


def of_execution(user: Any, execution_id: UUID) -> list[Approval]:
    """The newest 20 approvals of an execution that this person may see, in order, with decisions and assignees. Three queries."""
    found = visible_to(user).filter(execution_id=execution_id).order_by("-pk").prefetch_related("decisions", named())
    return list(found[:20])[::-1]


def executions_of(instance: Any, *, limit: int) -> list[Execution]:
    """Executions that asked for an approval of a Django row, newest first, without payloads, in one query."""
    asked = of_object(instance).order_by().values("execution_id")
    return list(Execution.objects.filter(id__in=asked).defer("input", "result", "error").order_by("-id")[:limit])


def may_see(user: Any, approval: Approval) -> bool:
    """Whether they are asked, have asked or decided, or may see executions of its function."""
    return Approval.objects.filter(_is_visible(user), pk=approval.pk).exists()


def _box(user: Any, box: Box) -> QuerySet[Approval]:
    open_ones = Approval.objects.filter(_of_functions(access_of(user).functions_of_key()), closed_at=None)
    if box is Box.MINE:
        by_name = Assignee.objects.filter(approval=OuterRef("pk"), is_active=True, kind=Assignee.Kind.USER, key=str(user.pk))
        return open_ones.filter(Exists(by_name) | Q(claimed_by=user)).exclude(_has_decided(user, now=True))
    if box is Box.GROUPS:
        return _asked(user, open_ones).exclude(_has_decided(user, now=True))
    found = open_ones if box is Box.ALL else Approval.objects.filter(closed_at__isnull=False)
    return found.filter(_is_visible(user))


def visible_to(user: Any) -> QuerySet[Approval]:
    """All approvals that this person may see, decided ones included."""
    return Approval.objects.filter(_is_visible(user))


def _is_visible(user: Any) -> Q:
    access = access_of(user)
    of_key = _of_functions(access.functions_of_key())
    if access.has_all(Right.VIEW_EXECUTION):
        return of_key
    concerns = Q(_is_asked(user)) | Q(requester_key=str(user.pk)) | Q(claimed_by=user) | Q(_has_decided(user))
    return of_key & (concerns | _of_functions(access.functions_for(Right.VIEW_EXECUTION)))


def _of_functions(functions: Collection[str] | None) -> Q:
    if functions is None:
        return Q()
    return Q(Exists(Execution.objects.filter(id=OuterRef("execution_id"), function__in=sorted(functions) or [""])))


def _asked(user: Any, found: QuerySet[Approval]) -> QuerySet[Approval]:
    return found.filter(_is_asked(user))


def _is_asked(user: Any) -> Any:
    """`policy.is_asked` as a condition of a query; a test holds the two together."""
    groups = user.groups.values(text=Cast("pk", TextField()))
    mine = Q(kind=Assignee.Kind.USER, key=str(user.pk)) | Q(kind=Assignee.Kind.GROUP, key__in=groups)
    mine |= Q(kind=Assignee.Kind.PERMISSION, key__in=_permissions(user))
    return Exists(Assignee.objects.filter(mine, approval=OuterRef("pk"), is_active=True))


def _permissions(user: Any) -> Sequence[str]:
    if user.is_superuser:
        return [f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")]
    return sorted(user.get_all_permissions())


def _has_decided(user: Any, *, now: bool = False) -> Any:
    """Whether they ever decided, or (`now`) decided since the question was last asked."""
    since = {"redrive_count": OuterRef("redrive_count")} if now else {}
    return Exists(Decision.objects.filter(approval=OuterRef("pk"), user_key=str(user.pk), **since))


def _rows(found: Sequence[Approval], user: Any) -> list[Row]:
    if not found:
        return []
    states, person = callback_states([approval.callback_id for approval in found]), person_of(user)
    callbacks = [states.get(one.callback_id) for one in found]
    asked = [question_of(one, is_waiting=waits(one, callback)) for one, callback in zip(found, callbacks, strict=True)]
    facts = zip(found, callbacks, with_mailboxes(asked), strict=True)
    return [_row(approval, callback, question, person, user) for approval, callback, question in facts]


def _row(approval: Approval, callback: CallbackRow | None, question: Question, person: Person, user: Any) -> Row:
    is_whole = approval.form is None and not approval.object_type
    return Row(
        approval,
        callback,
        tuple(approval.decisions.all()),
        approve_refusal=refusal(person, question, approves=True),
        reject_refusal=refusal(person, question, approves=False),
        digest=shown.digest(approval, shown.content_of(approval)) if is_whole else "",
        details=readable_details(user, person, question, approval, callback, approval.details),
    )
