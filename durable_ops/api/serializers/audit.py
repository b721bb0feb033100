"""The audit log over REST."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.actor import Channel
from durable_ops.api.serializers.answers import from_row
from durable_ops.api.serializers.requests import MAX_NAME, PageQuery
from durable_ops.api.serializers.strict import Text
from durable_ops.models import AuditEntry


class AuditQuery(PageQuery):
    q = Text(required=False, default="", allow_blank=True, max_length=MAX_NAME, help_text="part of who or why; how the object's id begins")
    action = Text(
        required=False, default="", allow_blank=True, max_length=MAX_NAME, help_text="as execution.stop; execution. for all of a kind"
    )
    channel = serializers.ChoiceField([one.value for one in Channel], required=False, default="", allow_blank=True)
    since = serializers.DateField(required=False, default=None, help_text="first day, UTC")
    until = serializers.DateField(required=False, default=None, help_text="last day, UTC")
    execution = serializers.UUIDField(required=False, default=None)


class AuditEntryDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_blank=True)
    user_id = serializers.CharField(allow_null=True)
    key_prefix = serializers.CharField(allow_blank=True, help_text="public part of the key that was used")
    channel = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    action = serializers.CharField(help_text="object and verb")
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    execution = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    facts = serializers.DictField(help_text="small values of the act, before and after, never a payload")


def entry(row: AuditEntry) -> dict[str, Any]:
    return from_row(AuditEntryDocument, row, execution=row.execution_id)
