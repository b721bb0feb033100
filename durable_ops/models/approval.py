"""Questions to people, and what they answered. Owner: `approvals/` and `actions/approvals.py`. Kept as long as the execution,
and then as long as the audit log names it: an approval is evidence.
"""

import secrets

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


def new_digest_key() -> str:
    return secrets.token_hex(32)


class Approval(models.Model):
    """One question about one callback. A redrive asks again: in this row with a higher `redrive_count` while the callback keeps its
    id, else with a row of its own.

    Whether it still waits is read from the callback's operation, never copied. `outcome` and `closed_at` only say that nobody
    has to look any more, so that inboxes have a small index. Times in UTC; durations in seconds, zero means none.
    """

    class Outcome(models.TextChoices):
        OPEN = "", "Waiting"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "No longer needed"

    id = models.BigAutoField(primary_key=True)
    callback_id = models.TextField(unique=True)
    execution_id = models.UUIDField()
    operation_id = models.TextField()
    name = models.TextField()
    title = models.TextField()
    details = models.JSONField(default=list, help_text="[[label, value], ...] in the author's order")
    form = models.JSONField(null=True, help_text="JSON schema of the fields asked with the decision")
    redrive_count = models.PositiveIntegerField(
        default=0, help_text="of the execution when it was asked; mails and decisions of before count no more"
    )
    requester = models.TextField(default="", help_text="who asked, as the author named them")
    requester_key = models.TextField(default="", help_text="primary key of the user who asked, as text; names can change")
    requester_may_approve = models.BooleanField(default=False)
    quorum = models.PositiveSmallIntegerField(default=1)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    allow_link_decision = models.BooleanField(default=True)
    object_type = models.TextField(default="", help_text="app.model of the linked row")
    object_id = models.TextField(default="")
    digest_key = models.CharField(
        default=new_digest_key,
        max_length=64,
        help_text="in hexadecimal, of the digests of what was shown and given, so that none is guessed from",
    )
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    timeout = models.PositiveIntegerField(default=0)
    remind_after = models.PositiveIntegerField(default=0)
    remind_at = models.DateTimeField(null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    escalate_to = models.JSONField(default=list, help_text="[[primary key as text, name], ...] of groups")
    escalate_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.OPEN)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "durable_ops_approval"
        default_permissions = ()
        indexes = [
            models.Index(fields=["asked_at", "id"], condition=models.Q(closed_at=None), name="approval_open"),
            models.Index(fields=["-closed_at", "-id"], condition=models.Q(closed_at__isnull=False), name="approval_decided"),
            models.Index(fields=["remind_at"], condition=models.Q(closed_at=None, remind_at__isnull=False), name="approval_remind"),
            models.Index(fields=["escalate_at"], condition=models.Q(closed_at=None, escalate_at__isnull=False), name="approval_escalate"),
            models.Index(fields=["execution_id", "id"], name="approval_of_execution"),
            models.Index(fields=["object_type", "object_id", "id"], condition=~models.Q(object_type=""), name="approval_of_object"),
        ]

    def __str__(self) -> str:
        return self.title


_KIND_WORDS = {"user": "", "group": "group ", "permission": "whoever may "}


class Assignee(models.Model):
    """Somebody who may decide: a user, a group or whoever holds a permission. Kept with its approval.

    Users and groups are known by their primary keys, so that a question follows who was renamed, and whoever takes over a name is not
    asked; `name` is what they were called then. One row for each, whatever its names: `approvals/assigning.py` writes them.
    """

    class Kind(models.TextChoices):
        USER = "user"
        GROUP = "group"
        PERMISSION = "permission"

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="assignees")
    kind = models.TextField(choices=Kind.choices)
    key = models.TextField(default="", help_text="primary key of user or group as text, the permission's name; empty for who was gone")
    name = models.TextField()
    is_escalation = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True, help_text="false once it was reassigned to somebody else")

    class Meta:
        db_table = "durable_ops_assignee"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["approval", "kind", "key", "name"], name="assignee_once")]
        indexes = [models.Index(fields=["kind", "key", "approval"], condition=models.Q(is_active=True), name="assignee_inbox")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def known_as(self) -> str:
        """Today's name where it was read (`selectors/assignees.py`), else what they were called."""
        return getattr(self, "current_name", None) or self.name

    @property
    def words(self) -> str:
        """As people read it: `ada`, `group managers`, `whoever may shop.pay`."""
        return f"{_KIND_WORDS[self.kind]}{self.known_as}"


class Decision(models.Model):
    """What one person said; never changed, and nobody says it twice between two redrives. Kept with its approval.

    The user name is kept as text, as people may be removed while what they decided stays.
    """

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="decisions")
    by = models.TextField()
    user_key = models.TextField(help_text="primary key of the user, as text: nobody decides twice under two names")
    redrive_count = models.PositiveIntegerField(default=0)
    approved = models.BooleanField()
    comment = models.TextField(default="")
    fields = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now(), editable=False)
    channel = models.TextField(help_text="console, mail, rest, admin or command")
    shown = models.ForeignKey("Shown", on_delete=models.PROTECT, related_name="+", help_text="what the person had before their eyes")

    class Meta:
        db_table = "durable_ops_decision"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["approval", "redrive_count", "user_key"], name="decision_once")]

    def __str__(self) -> str:
        return f"{self.by}: {'approved' if self.approved else 'rejected'}"


class Shown(models.Model):
    """A state of the question that was put before somebody, by its hash: title, details and the linked row's fields.

    A new row is stored only when something changed since the last one. Kept with its approval.
    """

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="shown")
    digest = models.CharField(max_length=64, help_text="HMAC-SHA-256 of the content as canonical JSON, under `digest_key`")
    content = models.JSONField(help_text="[[label, value], ...]")
    first_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "durable_ops_shown"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["approval", "digest"], name="shown_once")]

    def __str__(self) -> str:
        return self.digest[:12]
