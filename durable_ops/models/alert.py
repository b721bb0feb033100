"""Rules that say when somebody is to be alarmed, and what they found. Owner: `alerts/` and `actions/alerts.py`."""

from django.db import models
from django.db.models.functions import Now

from durable_ops.models.webhook import Webhook


class AlertRule(models.Model):
    """When at least `threshold` executions (or approvals) of one function are in trouble of a `kind`. Kept until somebody removes it.

    `minutes`: failures are counted over that time, stranding and retries must last that long, approvals must be that old.
    """

    class Kind(models.TextChoices):
        FAILED = "failed", "Executions fail"
        STRANDED = "stranded", "Nobody serves due executions"
        RETRY_STORM = "retry_storm", "Many executions retry"
        OLD_APPROVAL = "old_approval", "Approvals wait for long"

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    kind = models.TextField(choices=Kind.choices)
    functions = models.TextField(default="*", help_text="a pattern as fnmatch knows it")
    threshold = models.PositiveIntegerField(default=1)
    minutes = models.PositiveIntegerField(default=10)
    quiet_minutes = models.PositiveIntegerField(default=60, help_text="no second notice about one function before this is over")
    mail_to = models.JSONField(default=list, help_text="mail addresses")
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(default="")

    class Meta:
        db_table = "durable_ops_alert_rule"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """What a rule found about one function, from its beginning to its end. Kept 90 days after that.

    `fired_at` is set once it held for long enough; `notified_at` when people were told last, of this or an earlier one.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    function = models.TextField()
    began_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now())
    count = models.PositiveIntegerField(default=0)
    highest = models.PositiveIntegerField(default=0)
    fired_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "durable_ops_alert"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["rule", "function"], condition=models.Q(resolved_at=None), name="one_open_alert_per_function")
        ]
        indexes = [models.Index(fields=["rule", "function", "-id"], name="alert_of_rule")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.function}"
