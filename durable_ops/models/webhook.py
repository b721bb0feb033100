"""Webhooks, what is sent to them, and how far the events were read. Owner: `webhooks/` and `actions/webhooks.py`."""

from django.db import models
from django.db.models.functions import Now

from durable_ops.models.outbox import Promised


class Webhook(models.Model):
    """An address that is told of events. Kept until somebody removes it, with its deliveries.

    `functions` is a pattern as `fnmatch` knows it. Secrets are encrypted (`secret_text.py`), as they sign what is sent; after a rotation
    the old one signs as well until `previous_until`. `failures` counts failed attempts in a row: from five on nothing is sent until
    `blocked_until`. Events from before `active_since` are not sent.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    url = models.TextField()
    events = models.JSONField(default=list, help_text="names of webhooks.events.EventType")
    functions = models.TextField(default="*")
    is_active = models.BooleanField(default=True)
    active_since = models.DateTimeField(db_default=Now())
    secret = models.TextField(editable=False)
    previous_secret = models.TextField(default="", editable=False)
    previous_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(default="")
    failures = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True, help_text="last success")
    stopped_because = models.TextField(default="", help_text="why it was switched off by itself")

    class Meta:
        db_table = "durable_ops_webhook"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Delivery(Promised):
    """One event for one webhook: promised when the event was read or happened, sent at least once, always under the same `event_id`.

    It has been given up when neither `due_at` nor `sent_at` is set. Kept 30 days.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.TextField(help_text="header webhook-id")
    event = models.TextField()
    execution_id = models.UUIDField(null=True)
    body = models.TextField(help_text="the very text that is signed and sent")
    headers = models.JSONField(default=dict, help_text="trace of the execution")
    expires_at = models.DateTimeField(help_text="not tried again after this")
    leased_until = models.DateTimeField(null=True, help_text="an attempt is under way")
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the last answer")
    milliseconds = models.PositiveIntegerField(null=True)
    excerpt = models.TextField(default="", help_text="beginning of the last answer")

    class Meta:
        db_table = "durable_ops_delivery"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "due_at", "id"], condition=models.Q(sent_at=None, due_at__isnull=False), name="delivery_due"),
            models.Index(fields=["webhook", "-id"], name="delivery_of_webhook"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"


class EventCursor(models.Model):
    """How far events of executions were read. One row per pass, kept for good."""

    name = models.TextField(primary_key=True)
    at = models.DateTimeField()
    execution_id = models.UUIDField()
    operation_id = models.TextField(default="")

    class Meta:
        db_table = "durable_ops_event_cursor"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} up to {self.at}"
