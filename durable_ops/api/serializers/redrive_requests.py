"""Edited redrives that wait for a second person, over REST."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.redrive_requests import LONGEST_REASON, is_open
from durable_ops.api.serializers.answers import plain_object
from durable_ops.api.serializers.requests import MAX_NAME
from durable_ops.api.serializers.strict import Anything, StrictSerializer, Text
from durable_ops.models import RedriveRequest
from durable_ops.selectors.masking import Masks
from durable_ops.texts.json_text import parse_or_text


class AskBody(StrictSerializer):
    reason = Text(max_length=LONGEST_REASON)
    from_operation = Text(required=False, allow_null=True, default=None, max_length=MAX_NAME)
    result = Anything(required=False, help_text="takes the place of what from_operation had")
    input = Anything(required=False, help_text="takes the place of the execution's input")


class ConfirmBody(StrictSerializer):
    shown = Text(max_length=64, help_text="the `digest` of what was looked at")
    comment = Text(required=False, default="", allow_blank=True, max_length=LONGEST_REASON)


class RejectBody(StrictSerializer):
    comment = Text(max_length=LONGEST_REASON)


class RedriveRequestDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    execution = serializers.UUIDField()
    function = serializers.CharField()
    state = serializers.ChoiceField(["waiting", "confirmed", "rejected", "withdrawn", "expired"])
    reason = serializers.CharField()
    from_operation = serializers.CharField(allow_null=True)
    replaces_result = serializers.BooleanField()
    replaces_input = serializers.BooleanField()
    result = serializers.JSONField(allow_null=True, help_text="null once it is over, and for whom payloads are hidden from")
    input = serializers.JSONField(allow_null=True)
    digest = serializers.CharField(help_text="names all of it: send it back as `shown`")
    requester = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    comment = serializers.CharField(allow_blank=True)


def redrive_request(found: RedriveRequest, masks: Masks, *, may_read: bool) -> dict[str, Any]:
    names = ("id", "function", "reason", "from_operation", "replaces_result", "replaces_input", "digest", "created_at", "expires_at")
    values = {name: getattr(found, name) for name in (*names, "decided_by", "decided_at", "comment")}
    state = "waiting" if is_open(found) else found.outcome or "expired"
    shown = {name: parse_or_text(masks.text(getattr(found, name))) if may_read else None for name in ("result", "input")}
    return {**plain_object({**values, "execution": found.execution_id, "requester": found.requester_name, "state": state}), **shown}
