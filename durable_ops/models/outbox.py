"""Mails to be sent, and the links in them. Owner: `approvals/`. Sent mails are kept 90 days, links as long as their approval."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from durable_ops.models.approval import Approval


class Promised(models.Model):
    """Something to be sent that was promised in the transaction of its cause: it is lost with it, or sent at least once.

    `due_at` is when it is tried next, null once it was sent or is not to be sent any more.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now(), null=True, help_text="none once it was sent, or is no longer needed")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Outbox(Promised):
    """A mail that was promised: about an approval or an edited redrive to a person, or about an alert to an `address`.

    Rendered when it is sent, so that no link is stored; the same `message_id` on every try, so that a mail program shows it once.
    """

    message_id = models.TextField(unique=True)
    template = models.TextField(help_text="templates/emails/<template>.{subject,txt,html}")
    approval = models.ForeignKey(Approval, null=True, on_delete=models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    address = models.TextField(default="", help_text="where there is no person")
    facts = models.JSONField(default=dict)

    class Meta:
        db_table = "durable_ops_outbox"
        default_permissions = ()
        indexes = [
            models.Index(fields=["due_at", "id"], condition=models.Q(sent_at=None), name="outbox_due"),
            models.Index(fields=["-sent_at", "-id"], condition=models.Q(sent_at__isnull=False), name="outbox_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.message_id}"


class ApprovalLink(models.Model):
    """A mailed link: for one approval, one person and the time between two redrives. Only the hash of its token is stored."""

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="links")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    redrive_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "durable_ops_approval_link"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user} for {self.approval}"
