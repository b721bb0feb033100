"""Searches that people keep. Owner: `actions/views.py`. Kept until their owner removes them or is removed."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SavedView(models.Model):
    """A name for an address of the list of executions: `query` is its query string, without page. Its own address can be shared:
    whoever may see executions may open it, only its owner changes it.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    query = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "durable_ops_saved_view"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_view_per_name")]

    def __str__(self) -> str:
        return self.name
