"""Recurring duties (purge, unserved timers, ...), claimed like executions. Owner: `worker/duties.py`."""

from django.db import models

from execution_engine.models.base import JournalModel


class Duty(JournalModel):
    name = models.TextField(primary_key=True)
    due_at = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="")

    class Meta:
        db_table = "durable_duty"
