"""Functions and their versions, as the workers registered them. Owner: `journal/functions.py`. Never purged."""

from django.db import models

from execution_engine.models.base import JournalModel


class Function(JournalModel):
    name = models.TextField(primary_key=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "durable_function"


class FunctionVersion(JournalModel):
    """One version of a function: what an execution is pinned to. Seconds and days as the author gave them."""

    id = models.BigAutoField(primary_key=True)
    function = models.TextField()
    version = models.TextField()
    execution_timeout = models.IntegerField(null=True, help_text="seconds")
    invocation_timeout = models.IntegerField(null=True, help_text="seconds")
    retention_days = models.IntegerField(null=True)
    memory_mb = models.IntegerField(default=1024)
    is_durable = models.BooleanField(default=True)
    fingerprint = models.TextField(default="")
    shaped_at = models.DateTimeField(null=True, help_text="since when it has this fingerprint and no longer another")
    source = models.TextField(default="", help_text="source text of the handler, for people to read")
    description = models.TextField(default="")
    input_schema = models.TextField(db_default="", default="", help_text="JSON Schema of the input, empty when nothing is known of it")
    created_at = models.DateTimeField()
    registered_at = models.DateTimeField()

    class Meta:
        db_table = "durable_function_version"
        constraints = [models.UniqueConstraint(fields=["function", "version"], name="one_row_per_function_version")]
