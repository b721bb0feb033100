"""Edited redrives that wait for a second person. Owner: `actions/redrive_requests.py`.

Kept for 90 days after they were asked for, without the values once they are decided or over.
"""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class RedriveRequest(models.Model):
    """What somebody wants to replace in a redrive. `digest` names all of it and the state of the execution that it was asked for."""

    class Outcome(models.TextChoices):
        WAITING = "", "Waiting"
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.BigAutoField(primary_key=True)
    execution_id = models.UUIDField()
    function = models.TextField()
    execution_name = models.TextField()
    redrive_count = models.IntegerField(help_text="of the execution when it was asked for")
    from_operation = models.TextField(null=True)
    replaces_result = models.BooleanField(default=False)
    result = models.TextField(null=True)
    replaces_input = models.BooleanField(default=False)
    input = models.TextField(null=True)
    reason = models.TextField()
    digest = models.CharField(max_length=64)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requester_name = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.WAITING)
    decided_by = models.TextField(default="")
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(default="")

    class Meta:
        db_table = "durable_ops_redrive_request"
        default_permissions = ()
        indexes = [models.Index(fields=["execution_id", "-id"], name="redrive_request_execution")]
        constraints = [
            models.UniqueConstraint(fields=["execution_id"], condition=models.Q(outcome=""), name="one_waiting_redrive_request"),
        ]

    def __str__(self) -> str:
        return f"{self.execution_name} by {self.requester_name}"
