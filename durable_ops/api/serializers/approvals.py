"""Bodies, queries and answers of the approvals' routes."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import plain_object
from durable_ops.api.serializers.requests import MAX_COMMENT, MAX_NAME, PageQuery
from durable_ops.api.serializers.strict import Anything, StrictSerializer, Text
from durable_ops.approvals.card import Card
from durable_ops.approvals.inbox import Box, Row
from durable_ops.models import Approval, Assignee, Decision


class ApprovalsQuery(PageQuery):
    box = serializers.ChoiceField([box.value for box in Box], required=False, default=Box.GROUPS.value)
    q = Text(required=False, allow_blank=True, default="", max_length=100, help_text="part of the title, or the name or requester")
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=50)


class DecideBody(StrictSerializer):
    approved = serializers.BooleanField()
    comment = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    fields_ = serializers.DictField(child=Anything(), required=False, help_text="what the approval's form asks for")
    seen = Text(required=False, allow_null=True, default=None, max_length=64, help_text="`shown` of the approval that was looked at")

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a name of the framework's own."""
        found = super().get_fields()
        return {"fields" if name == "fields_" else name: field for name, field in found.items()}


class ReassignBody(StrictSerializer):
    to = serializers.ListField(child=Text(max_length=MAX_NAME), required=False, default=list, max_length=50, help_text="user names")
    groups = serializers.ListField(
        child=Text(max_length=MAX_NAME), required=False, default=list, max_length=50, help_text="names of groups"
    )
    reason = Text(max_length=MAX_COMMENT)


class DecisionDocument(serializers.Serializer[Any]):
    by = serializers.CharField()
    approved = serializers.BooleanField()
    comment = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    channel = serializers.CharField()


class ApprovalSummaryDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    callback_id = serializers.CharField()
    execution = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    outcome = serializers.ChoiceField([one or "waiting" for one in Approval.Outcome.values])
    requester = serializers.CharField(allow_blank=True)
    amount = serializers.CharField(allow_null=True)
    quorum = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reminders = serializers.IntegerField()
    claimed_by = serializers.CharField(allow_null=True)
    decisions = DecisionDocument(many=True)


class AskedDocument(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Assignee.Kind.values)
    name = serializers.CharField(help_text="the name of today; of somebody who is gone, the last that was known")


class ApprovalDocument(ApprovalSummaryDocument):
    asked = AskedDocument(many=True, help_text="who may decide")
    details = serializers.ListField(help_text="[[label, value], ...] as people see it now")
    shown = serializers.CharField(help_text="name of this state; send it back as `seen`")
    form = serializers.JSONField(allow_null=True, help_text="JSON schema of the fields asked with the decision")
    may_approve = serializers.BooleanField()
    may_reject = serializers.BooleanField()
    refusal = serializers.CharField(allow_null=True, help_text="why you may not approve: a stable code")


def summary(row: Row) -> dict[str, Any]:
    return _summary(row.approval, row.ends_at, list(row.decisions))


def detail(card: Card) -> dict[str, Any]:
    more = {
        "asked": [{"kind": one.kind, "name": one.known_as} for one in card.asked],
        "details": card.details,
        "shown": card.digest,
        "form": card.approval.form,
        "may_approve": card.approve_refusal is None,
        "may_reject": card.reject_refusal is None,
        "refusal": card.approve_refusal,
    }
    return {**_summary(card.approval, card.ends_at, card.decisions), **plain_object(more)}


def _summary(approval: Approval, ends_at: Any, decisions: list[Decision]) -> dict[str, Any]:
    made = [{name: getattr(one, name) for name in ("by", "approved", "comment", "at", "channel")} for one in decisions]
    return plain_object(
        {
            "id": approval.pk,
            "callback_id": approval.callback_id,
            "execution": approval.execution_id,
            "name": approval.name,
            "title": approval.title,
            "outcome": approval.outcome or "waiting",
            "requester": approval.requester,
            "amount": None if approval.amount is None else str(approval.amount),
            "quorum": approval.quorum,
            "asked_at": approval.asked_at,
            "due_at": ends_at,
            "closed_at": approval.closed_at,
            "reminders": approval.reminders,
            "claimed_by": approval.claimed_by.get_username() if approval.claimed_by else None,
            "decisions": made,
        }
    )
