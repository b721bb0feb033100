"""Callbacks that somebody may answer."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import from_row
from execution_engine.selectors.callbacks import CallbackRow


class CallbackDocument(serializers.Serializer[Any]):
    callback_id = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    execution = serializers.UUIDField()
    execution_name = serializers.CharField()
    function = serializers.CharField()
    version = serializers.CharField()
    operation_id = serializers.CharField()
    sub_type = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    timeout_at = serializers.DateTimeField(allow_null=True)
    heartbeat_seconds = serializers.IntegerField(allow_null=True)


class AcceptedDocument(serializers.Serializer[Any]):
    callback_id = serializers.CharField()
    status = serializers.CharField()


def callback(row: CallbackRow) -> dict[str, Any]:
    return from_row(CallbackDocument, row, status="pending" if row.is_pending else row.status, execution=row.execution_id)
