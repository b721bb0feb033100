"""Functions and their versions."""

from typing import Any

from rest_framework import serializers


class VersionDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    function = serializers.CharField()
    version = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    execution_timeout = serializers.IntegerField(allow_null=True)
    retention_days = serializers.IntegerField(allow_null=True)
    fingerprint = serializers.CharField(allow_blank=True)
    registered_at = serializers.DateTimeField()
    in_flight = serializers.IntegerField()
    waiting = serializers.IntegerField()
    workers = serializers.IntegerField()


class FunctionDocument(serializers.Serializer[Any]):
    name = serializers.CharField()
    versions = VersionDocument(many=True)


class StatsDocument(serializers.Serializer[Any]):
    """Of the newest 500 executions of the function, those of this version."""

    started = serializers.IntegerField()
    last_started_at = serializers.DateTimeField(allow_null=True)
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    p50 = serializers.FloatField(allow_null=True, help_text="seconds from start to end")
    p95 = serializers.FloatField(allow_null=True)
    success_rate = serializers.FloatField(allow_null=True, help_text="from 0 to 1")


class VersionDetailDocument(VersionDocument):
    stats = StatsDocument()


class FunctionDetailDocument(serializers.Serializer[Any]):
    name = serializers.CharField()
    versions = VersionDetailDocument(many=True, help_text="the latest registered first")
    input_schema = serializers.JSONField(allow_null=True, help_text="JSON schema of the newest version's input type")
