"""Executions that start by the clock. Owner: `journal/schedules.py`. Kept until deleted; what it started has its own retention."""

from django.db import models

from execution_engine.models.base import JournalModel


class Schedule(JournalModel):
    """One rule of when to start what. `due_at` is the moment of the next firing, null while paused or when none follows.

    `rule` is a cron line of five fields, or seconds as digits; `timezone` is an IANA name and bears on cron lines only. `input` is JSON
    text. `revision` counts changes by people.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.TextField(unique=True)
    function = models.TextField()
    version = models.TextField(null=True, help_text="null: the newest at each firing")
    rule = models.TextField()
    timezone = models.TextField(default="UTC")
    input = models.TextField(null=True)
    attributes = models.JSONField(default=dict)
    concurrency_key = models.TextField(null=True)
    priority = models.IntegerField(null=True)
    overlap = models.TextField(help_text="allow, or skip while one of its executions is open")
    catch_up = models.IntegerField(help_text="missed firings made up for after a down time, the latest ones")
    is_paused = models.BooleanField(default=False)
    anchor_at = models.DateTimeField(help_text="what intervals are counted from")
    due_at = models.DateTimeField(null=True)
    last_fired_at = models.DateTimeField(null=True, help_text="the moment of the last firing, not when it was made up for")
    last_execution_id = models.UUIDField(null=True, help_text="what was started last, by the clock or by hand")
    last_error = models.TextField(default="", help_text="why the last firing started nothing")
    skipped = models.BigIntegerField(default=0, help_text="firings left out: one was open, or too many were missed")
    created_at = models.DateTimeField()
    created_by = models.TextField(default="")
    revision = models.IntegerField(default=1)

    class Meta:
        db_table = "durable_schedule"
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="schedule_due")]
