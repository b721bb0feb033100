"""Answers of REST to calls with an Idempotency-Key. Owner: `api/idempotency.py`. Kept 24 hours; a duty removes older ones."""

from django.db import models
from django.db.models.functions import Now


class StoredAnswer(models.Model):
    """What one call was answered. Written in the transaction of what it did: one is not there without the other.

    `digest` is of the caller, the address and the key that he chose; `body_digest` of what he sent.
    """

    digest = models.BinaryField(primary_key=True, max_length=32)
    body_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0, help_text="0 only within the transaction that makes it")
    answer = models.TextField(default="", help_text="the body, JSON, sealed by secret_text")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "durable_ops_stored_answer"
        default_permissions = ()
        indexes = [models.Index(fields=["created_at"], name="stored_answer_age")]

    def __str__(self) -> str:
        return f"{self.status} of {self.created_at}"
