"""The execution: its state, its claim and its place in the queue, in one row.

Owner: `journal/`. Kept until `retention_days` after the end, then purged with its operations and events.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Substr

from execution_engine.core.enums import ExecutionStatus
from execution_engine.models.base import JournalModel

_FAILED = Q(status__in=[ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT])
_TROUBLE = Q(status__in=[ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT, ExecutionStatus.STOPPED])


class Execution(JournalModel):
    """One execution of a function version. The row is its own queue entry: `due_at` says when it wants attention.

    `function_version_id` carries no foreign key: an insert must not wait for a row that people edit. `error` is the
    wire's error object as JSON text; `input` and `result` are opaque text, exactly as the serdes wrote them.
    """

    id = models.UUIDField(primary_key=True)
    function_version_id = models.BigIntegerField()
    function = models.TextField()
    version = models.TextField()
    name = models.TextField()
    status = models.TextField(choices=[(s.value, s.value) for s in ExecutionStatus])
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    execution_timeout = models.IntegerField(null=True, help_text="seconds, as asked for at the start")
    retention_days = models.IntegerField(default=14)
    due_at = models.DateTimeField(null=True)

    claim_id = models.UUIDField(null=True)
    claimed_by = models.UUIDField(null=True, help_text="boot id of the worker that holds or last held the claim")
    invocation_id = models.UUIDField(null=True, help_text="request id of the invocation under way")
    invocation_started_at = models.DateTimeField(null=True)
    invocations = models.IntegerField(default=0)
    failed_invocations = models.IntegerField(default=0, help_text="failed ones in a row")
    is_suspect = models.BooleanField(default=False, help_text="was in flight when a worker child died")
    runs_alone = models.BooleanField(default=False, help_text="the invocation under way has its child for itself")
    concurrency_key = models.TextField(null=True, help_text="what a limit per key counts together")
    line = models.TextField(null=True, help_text="due, and out of the queue: waits for its concurrency key, or for a start (an empty text)")

    event_seq = models.BigIntegerField(default=0)
    checkpoint_seq = models.BigIntegerField(default=0)
    wake_seq = models.BigIntegerField(default=0)
    told_seq = models.BigIntegerField(default=-1)
    answered_seq = models.BigIntegerField(default=-1, db_default=-1, help_text="what answers to checkpoints from outside have told")
    last_event_at = models.DateTimeField()

    parent_id = models.UUIDField(null=True, help_text="the execution whose chained invoke started this one")
    parent_operation_id = models.TextField(null=True)
    owes_parent = models.BooleanField(default=False, help_text="it ended, and its parent's operation is not completed yet")
    redrive_count = models.IntegerField(default=0)
    owes_child = models.BooleanField(default=False, db_default=False, help_text="it was redriven, and its children are still to be")
    seed = models.UUIDField(null=True, help_text="what uuid() and random() derive from, where it is not the id: a fork copies it")
    forked_from = models.UUIDField(null=True, help_text="the execution whose beginning this one copied")
    pause = models.TextField(null=True, help_text="details of the pause as it was asked for, JSON; set while PAUSING or PAUSED")

    status_text = models.TextField(default="", help_text="what the author last said with context.set_status")
    attributes = models.JSONField(default=dict)
    tenant_id = models.TextField(null=True)
    started_by = models.TextField(default="", help_text="person, key or parent execution, for people to read")
    traceparent = models.TextField(null=True, help_text="W3C trace context of the call that started it, or its parent's")
    correlation_id = models.TextField(null=True, help_text="X-Correlation-Id of the call that started it, or its parent's")
    client_context = models.TextField(null=True, help_text="what Invoke's caller said of itself, a JSON object")
    input = models.TextField(null=True)
    result = models.TextField(null=True)
    error = models.TextField(null=True)

    class Meta:
        db_table = "durable_execution"
        indexes = [
            # The queue, and the lines beside it in which executions wait that a limit holds: claims pass them in one step.
            models.Index(
                fields=["function_version_id", "due_at"], condition=Q(due_at__isnull=False, line__isnull=True), name="execution_claim_loop"
            ),
            models.Index(
                fields=["function_version_id", "line", "due_at"],
                condition=Q(due_at__isnull=False, line__isnull=False),
                name="execution_lines",
            ),
            # Few, and asked for again and again: a look through the queue would read everything else that is due.
            models.Index(fields=["function_version_id", "due_at"], condition=Q(is_suspect=True), name="execution_suspects"),
            models.Index(fields=["-started_at", "-id"], name="execution_list"),
            models.Index(fields=["function", "-started_at"], name="execution_list_by_function"),
            models.Index(fields=["status", "-started_at"], name="execution_list_by_status"),
            # Everything that decides the state of an open execution, so that lists and counts by state do not read the rows.
            models.Index(
                fields=["-started_at", "-id"],
                include=["status", "due_at", "claim_id", "failed_invocations", "function_version_id", "function", "version"],
                condition=Q(ended_at__isnull=True),
                name="execution_open",
            ),
            models.Index(fields=["-started_at", "-id"], condition=_TROUBLE, name="execution_trouble"),
            models.Index(fields=["ended_at", "function"], condition=_FAILED, name="execution_failures"),
            models.Index(fields=["function", "-started_at", "-id"], condition=_TROUBLE, name="execution_trouble_by_function"),
            models.Index(
                fields=["-started_at", "-id"], condition=Q(redrive_count__gt=0) | Q(forked_from__isnull=False), name="execution_repaired"
            ),
            models.Index(fields=["function_version_id", "claimed_by"], condition=Q(claim_id__isnull=False), name="execution_claims"),
            models.Index(fields=["id"], condition=Q(owes_parent=True), name="execution_owes_parent"),
            models.Index(fields=["id"], condition=Q(owes_child=True), name="execution_owes_child"),
            models.Index(fields=["retention_days", "ended_at"], condition=Q(ended_at__isnull=False), name="execution_purge"),
            models.Index(fields=["parent_id"], condition=Q(parent_id__isnull=False), name="execution_children"),
            models.Index(fields=["correlation_id", "-started_at"], condition=Q(correlation_id__isnull=False), name="execution_correlation"),
            models.Index(
                Substr("traceparent", 4, 32), F("started_at").desc(), condition=Q(traceparent__isnull=False), name="execution_trace"
            ),
            GinIndex(fields=["attributes"], opclasses=["jsonb_path_ops"], name="execution_attributes"),
        ]
        constraints = [models.UniqueConstraint(fields=["function", "name"], name="execution_name_of_function")]
