"""What a function may do at once and how fast it may begin. Owner: `journal/limits.py`. Never purged: one row per function with limits."""

from django.db import models

from execution_engine.models.base import JournalModel


class Limit(JournalModel):
    """The limits of one function, over all its versions; null is no limit.

    Claimers of the function take turns by this row: `turn`, `tokens` and `last_line` are theirs, the rest is what people set. A row
    without any limit stays, for executions may still stand in the lines that it once made.
    """

    function = models.TextField(primary_key=True)
    concurrency = models.IntegerField(null=True, help_text="executions with a claim at the same time")
    per_key = models.IntegerField(null=True, help_text="of these, with the same concurrency key")
    starts = models.IntegerField(null=True, help_text="first invocations per `seconds`")
    seconds = models.IntegerField(default=1, db_default=1)
    burst = models.IntegerField(default=1, db_default=1, help_text="first invocations at once after a quiet time")
    priority = models.IntegerField(default=0, db_default=0, help_text="head start in the queue, seconds; a start may name its own")
    revision = models.IntegerField(default=1, db_default=1, help_text="counts changes by people")
    changed_at = models.DateTimeField()

    turn = models.BigIntegerField(default=0, db_default=0, help_text="raised by every claim of this function")
    tokens = models.FloatField(default=0, db_default=0, help_text="starts left at `tokens_at`")
    tokens_at = models.DateTimeField()
    last_line = models.TextField(default="", db_default="", help_text="the line that the last look at many of them ended with")

    class Meta:
        db_table = "durable_limit"
