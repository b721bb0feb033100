"""The audit log: every change by a person, key or command, and the chain that seals it. Owner: `audit/`. Never purged."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import BigIntegerField, Func, TextField
from django.db.models.functions import Cast, Now

from durable_ops.models.rights import RIGHT_LABELS


class AppendOnlyError(TypeError):
    """An audit row was about to be changed or removed."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("audit rows are only ever added")

    update = delete = bulk_update = update_or_create = _refuse


class AppendOnly(models.Model):
    """A row that is added and then only read. A database trigger refuses UPDATE and DELETE as well."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("audit rows are only ever added")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("audit rows are only ever added")


class AuditEntry(AppendOnly):
    """Who did what to which object, from where and why.

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
    transaction_id = models.BigIntegerField(
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), TextField()), BigIntegerField()),
        editable=False,
        help_text="of PostgreSQL: what the chain is ordered by",
    )

    class Meta:
        db_table = "durable_ops_audit_entry"
        default_permissions = ()
        permissions = tuple((right.value, label) for right, label in RIGHT_LABELS.items())
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_list"),
            models.Index(fields=["execution_id", "id"], condition=models.Q(execution_id__isnull=False), name="audit_of_execution"),
            models.Index(fields=["function", "-at", "-id"], condition=models.Q(function__isnull=False), name="audit_list_by_function"),
            models.Index(fields=["transaction_id", "id"], name="audit_to_seal"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object_id}"


class AuditSeal(AppendOnly):
    """One link of the chain over the audit log: `audit/seals.py` says in which order and over which bytes.

    `position` has no gaps. `transaction_id` repeats the entry's, so that the next turn begins at the newest seal. `era` is raised
    when the database begins to count transactions anew, as after a restore from a dump.
    """

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, db_constraint=False, related_name="seal")
    transaction_id = models.BigIntegerField()
    era = models.IntegerField(default=1)
    sealed_at = models.DateTimeField()
    hash = models.BinaryField(max_length=32, help_text="SHA-256 of the hash before and of every column of the entry")

    class Meta:
        db_table = "durable_ops_audit_seal"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.position}:{bytes(self.hash).hex()}"
