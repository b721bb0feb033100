"""The latest state of each operation. Owner: `journal/`. Purged with its execution."""

from django.db import models
from django.db.models import Q

from execution_engine.core.enums import OperationStatus, OperationType
from execution_engine.models.base import JournalModel


class Operation(JournalModel):
    """One operation as `core.records.OperationRecord` describes it; `options` and `error` are JSON text."""

    pk = models.CompositePrimaryKey("execution_id", "id")
    execution_id = models.UUIDField()
    id = models.TextField()
    type = models.TextField(choices=[(t.value, t.value) for t in OperationType])
    sub_type = models.TextField(null=True)
    name = models.TextField(null=True)
    parent_id = models.TextField(null=True)
    status = models.TextField(choices=[(s.value, s.value) for s in OperationStatus])
    attempt = models.IntegerField(default=0)
    payload = models.TextField(null=True)
    error = models.TextField(null=True)
    replay_children = models.BooleanField(default=False)
    options = models.TextField(null=True)
    callback_id = models.TextField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    wake_seq = models.BigIntegerField(null=True)
    start_event = models.BigIntegerField()

    class Meta:
        db_table = "durable_operation"
        indexes = [
            models.Index(fields=["callback_id"], condition=Q(callback_id__isnull=False), name="operation_callback"),
            models.Index(
                fields=["started_at"],
                condition=Q(type="CALLBACK", status="STARTED"),
                name="operation_pending_callbacks",
            ),
            # What an execution waits for, without reading what has ended. A step that is quick enough never enters it.
            models.Index(fields=["execution_id", "type", "sub_type", "status"], condition=Q(ended_at__isnull=True), name="operation_open"),
            # Which of those people decide: a look at the options themselves would read every row.
            models.Index(
                fields=["execution_id"],
                condition=Q(ended_at__isnull=True, type="CALLBACK", options__contains='"approval"'),
                name="operation_open_approval",
            ),
        ]
