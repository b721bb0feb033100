"""The audit log: every change by a person, key or command. Owner: `audit/log.py`. Never purged."""

from typing import Any, NoReturn

from django.db import models
from django.db.models.functions import Now

from durable_ops.models.rights import RIGHT_LABELS


class AppendOnlyError(TypeError):
    """An audit row was about to be changed or removed."""


class AppendOnlyQuerySet(models.QuerySet["AuditEntry"]):
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("audit rows are only ever added")

    update = delete = bulk_update = update_or_create = _refuse


class AuditEntry(models.Model):
    """Who did what to which object, from where and why. A database trigger refuses UPDATE and DELETE as well.

    The actor is kept as text beside its id, because people and keys may be removed while their deeds stay. `facts`
    holds small values of the act (function, name, sizes), never a payload. Its permissions are those of the whole
    corridor: what may be done is what is audited.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.TextField()
    user_id = models.TextField(null=True, help_text="primary key of the person, as text")
    key_prefix = models.TextField(default="", help_text="public part of the API key that was used")
    channel = models.TextField(help_text="console, rest or command")
    address = models.TextField(default="")
    action = models.TextField(help_text="object and verb, as execution.start")
    object_type = models.TextField()
    object_id = models.TextField()
    execution_id = models.UUIDField(null=True)
    function = models.TextField(null=True, help_text="whose execution it is (or was): decides who may read the row")
    reason = models.TextField(default="")
    facts = models.JSONField(default=dict)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "durable_ops_audit_entry"
        default_permissions = ()
        permissions = tuple((right.value, label) for right, label in RIGHT_LABELS.items())
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_list"),
            models.Index(fields=["execution_id", "id"], condition=models.Q(execution_id__isnull=False), name="audit_of_execution"),
            models.Index(fields=["function", "-at", "-id"], condition=models.Q(function__isnull=False), name="audit_list_by_function"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("audit rows are only ever added")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("audit rows are only ever added")
