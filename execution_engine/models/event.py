"""The history, append-only. Owner: `journal/`. Purged with its execution."""

from django.db import models

from execution_engine.core.enums import EventType
from execution_engine.models.base import JournalModel


class Event(JournalModel):
    """One history event, numbered from 1 without gaps within its execution.

    `details` is JSON text of the event's small values by AWS's key. `payload` and `error` hold what only this event
    knows (a poll's state, a retried error, an invoke's input); the result of an ended operation or execution is read
    from its row, where it is stored once.
    """

    pk = models.CompositePrimaryKey("execution_id", "event_id")
    execution_id = models.UUIDField()
    event_id = models.BigIntegerField()
    type = models.TextField(choices=[(t.value, t.value) for t in EventType])
    operation_id = models.TextField(null=True)
    at = models.DateTimeField()
    details = models.TextField(null=True)
    payload = models.TextField(null=True)
    error = models.TextField(null=True)

    class Meta:
        db_table = "durable_event"
