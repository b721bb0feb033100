"""One act on many executions. Owner: `actions/batches.py`. Kept for 90 days after the end, drafts for a day; the audit log stays."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Batch(models.Model):
    """What is done to a frozen set of executions, by whom and why. A draft shows the set; confirmed with a reason, workers do it.

    The actor is kept as it was, so that every item is done with that person's rights of the moment and audited as theirs.
    """

    class Act(models.TextChoices):
        REDRIVE = "redrive", "Redrive"
        STOP = "stop", "Stop"
        PAUSE = "pause", "Pause"
        RESUME = "resume", "Resume"
        DELETE = "delete", "Delete"
        MOVE = "move", "Move"
        EXPORT = "export", "Export"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        ABORTED = "aborted", "Aborted"

    id = models.BigAutoField(primary_key=True)
    act = models.TextField(choices=Act.choices)
    status = models.TextField(choices=Status.choices, default=Status.DRAFT)
    reason = models.TextField(default="")
    to_version = models.TextField(default="", db_default="", help_text="where a move leads; chosen at the latest when it is confirmed")
    query = models.TextField(default="", help_text="the search that chose the set, empty when rows were chosen")
    total = models.IntegerField()
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    key = models.ForeignKey("durable_ops.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.TextField()
    channel = models.TextField()
    address = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "durable_ops_batch"
        default_permissions = ()
        indexes = [
            models.Index(fields=["-id"], condition=~models.Q(status="draft"), name="batch_list"),
            models.Index(fields=["id"], condition=models.Q(status="running"), name="batch_running"),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.total}"


class BatchItem(models.Model):
    """One execution of a batch; `label` is its name when the set was frozen. `code` and `message` say why it failed.

    `row` is what an export read of it, with the keys of `exports.COLUMNS` and unmasked: each reader gets what they may see.
    """

    class Outcome(models.TextChoices):
        PENDING = "pending", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Not tried"

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    execution_id = models.UUIDField()
    label = models.TextField(default="")
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.PENDING)
    attempts = models.IntegerField(default=0, help_text="tries that the database cut short")
    code = models.TextField(default="")
    message = models.TextField(default="")
    at = models.DateTimeField(null=True)
    row = models.JSONField(null=True)

    class Meta:
        db_table = "durable_ops_batch_item"
        default_permissions = ()
        indexes = [models.Index(fields=["batch", "outcome", "id"], name="batch_items")]
        constraints = [models.UniqueConstraint(fields=["batch", "execution_id"], name="execution_once_per_batch")]

    def __str__(self) -> str:
        return self.label
