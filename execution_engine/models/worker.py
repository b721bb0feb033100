"""Worker children that are or were alive. Owner: `worker/`. Rows unseen for a day are removed by a duty."""

from django.db import models

from execution_engine.models.base import JournalModel


class Worker(JournalModel):
    """One runtime in one worker child: `boot_id` is random per start, so a reused pid is never mistaken for it."""

    boot_id = models.UUIDField(primary_key=True)
    host = models.TextField()
    pid = models.IntegerField()
    parent_pid = models.IntegerField()
    process_started_at = models.TextField(help_text="the kernel's start time of the process, opaque")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    threads = models.IntegerField()
    in_flight = models.IntegerField(default=0)
    lost_threads = models.IntegerField(default=0)
    is_draining = models.BooleanField(default=False)
    version_ids = models.JSONField(default=list, help_text="ids of the function versions it serves")

    class Meta:
        db_table = "durable_worker"
