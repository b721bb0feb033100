"""Signals sent before anybody waited for them. Owner: `journal/`. Purged with their execution."""

from django.db import models

from execution_engine.models.base import JournalModel


class Signal(JournalModel):
    """A buffered signal of one name; waiters of that name consume it oldest first."""

    id = models.BigAutoField(primary_key=True)
    execution_id = models.UUIDField()
    name = models.TextField()
    payload = models.TextField(null=True)
    sent_at = models.DateTimeField()
    sent_by = models.TextField(default="")
    consumed_by = models.TextField(null=True, help_text="operation id of the waiter that took it")

    class Meta:
        db_table = "durable_signal"
        indexes = [models.Index(fields=["execution_id", "name", "id"], name="signal_buffer")]
