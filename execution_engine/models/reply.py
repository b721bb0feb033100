"""Replies to checkpoints from outside. Owner: `journal/replies.py`. Forgotten by a duty after 15 minutes, or with their execution."""

from django.db import models

from execution_engine.models.base import JournalModel


class StoredReply(JournalModel):
    """What a checkpoint call with a client token was answered: the same call again gets the same answer, and moves nothing.

    `digest` is of the call, so that another call under the same token is refused. `answer` is JSON text.
    """

    pk = models.CompositePrimaryKey("execution_id", "client_token")
    execution_id = models.UUIDField()
    client_token = models.TextField()
    digest = models.BinaryField()
    answer = models.TextField()
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "durable_stored_reply"
        indexes = [models.Index(fields=["stored_at"], name="stored_reply_age")]
