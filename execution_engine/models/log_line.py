"""What handlers print and log. Owner: `worker/kept_lines.py`. Purged with its execution, and after `LOG_DAYS` by a duty."""

from django.db import models

from execution_engine.models.base import JournalModel


class LogLine(JournalModel):
    """One line of one execution; `operation_id` is the step or context that said it, None the handler itself."""

    id = models.BigAutoField(primary_key=True)
    execution_id = models.UUIDField()
    operation_id = models.TextField(null=True)
    attempt = models.IntegerField(null=True)
    at = models.DateTimeField()
    level = models.TextField()
    logger = models.TextField()
    message = models.TextField()

    class Meta:
        db_table = "durable_log_line"
        indexes = [models.Index(fields=["execution_id", "id"], name="log_lines_of_execution")]
