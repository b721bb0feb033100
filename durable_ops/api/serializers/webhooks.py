"""Bodies and answers of webhooks and their deliveries."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import from_row
from durable_ops.api.serializers.requests import MAX_COMMENT
from durable_ops.api.serializers.strict import StrictSerializer, Text
from durable_ops.models import Delivery, Webhook
from durable_ops.webhooks.addresses import MAX_URL_LENGTH
from durable_ops.webhooks.events import LABELS

EVENTS = [one.value for one in LABELS]
STATES = ("waiting", "sent", "given_up")


class CreateWebhookBody(StrictSerializer):
    name = Text(max_length=100)
    url = Text(max_length=MAX_URL_LENGTH, help_text="https://")
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS), min_length=1, max_length=len(EVENTS))
    functions = Text(required=False, default="*", max_length=64, help_text="a pattern: * for any text, ? for one character")


class ChangeWebhookBody(StrictSerializer):
    name = Text(required=False, max_length=100)
    url = Text(required=False, max_length=MAX_URL_LENGTH)
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS), required=False, min_length=1, max_length=len(EVENTS))
    functions = Text(required=False, max_length=64)
    is_active = serializers.BooleanField(required=False)
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class DeliveriesQuery(StrictSerializer):
    cursor = Text(required=False, default="", allow_blank=True, max_length=500)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)
    state = serializers.ChoiceField(STATES, required=False, allow_blank=True, default="")


class WebhookDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    functions = serializers.CharField()
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    failures = serializers.IntegerField(help_text="failed attempts in a row")
    blocked_until = serializers.DateTimeField(allow_null=True, help_text="nothing is sent before this")
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="last success")
    stopped_because = serializers.CharField(allow_blank=True)


class NewWebhookDocument(WebhookDocument):
    secret = serializers.CharField(help_text="shown now and never again")


class DeliveryDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    webhook = serializers.IntegerField()
    event_id = serializers.CharField(help_text="header webhook-id")
    event = serializers.CharField()
    execution = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(STATES)
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the last answer")
    milliseconds = serializers.IntegerField(allow_null=True)
    excerpt = serializers.CharField(allow_blank=True, help_text="beginning of the last answer")
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    tried_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="next attempt")


def webhook(hook: Webhook) -> dict[str, Any]:
    return from_row(WebhookDocument, hook)


def delivery(one: Delivery) -> dict[str, Any]:
    named = {"webhook": one.webhook_id, "execution": one.execution_id, "error": one.last_error}
    return from_row(DeliveryDocument, one, state=state_of(one), **named)


def state_of(one: Delivery) -> str:
    if one.sent_at is not None:
        return "sent"
    return "given_up" if one.due_at is None else "waiting"
