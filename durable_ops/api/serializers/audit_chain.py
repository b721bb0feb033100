"""What verifying the audit log answers."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.strict import StrictSerializer

MOST_LINKS = 100_000


class VerifyQuery(StrictSerializer):
    newest = serializers.IntegerField(required=False, default=10_000, min_value=1, max_value=MOST_LINKS, help_text="how many links")


class BrokenDocument(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="missing_seal, missing_entry, changed, reordered, inserted or anchor")
    words = serializers.CharField()
    position = serializers.IntegerField(allow_null=True)
    entry_id = serializers.IntegerField(allow_null=True)


class UnsealedDocument(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    first_id = serializers.IntegerField(allow_null=True)
    oldest_at = serializers.DateTimeField(allow_null=True)


class VerifiedDocument(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    checked = serializers.IntegerField(help_text="links that were read")
    first = serializers.IntegerField()
    last = serializers.IntegerField()
    head = serializers.CharField(help_text="hash of the newest seal")
    anchor = serializers.CharField(help_text="position:hash, to be kept elsewhere")
    sealed_at = serializers.DateTimeField(allow_null=True)
    eras = serializers.IntegerField(help_text="one more than the times the database was restored from a dump")
    unsealed = UnsealedDocument()
    is_protected = serializers.BooleanField(help_text="the application can neither change nor empty the tables")
    broken = BrokenDocument(allow_null=True)
