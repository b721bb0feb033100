"""API keys over REST."""

from typing import Any

from rest_framework import serializers

from durable_ops.actions.api_keys import DEFAULT_OVERLAP_HOURS, LONGEST_OVERLAP_HOURS, MAX_NAME_LENGTH, MAX_PATTERNS, NewKey
from durable_ops.api.serializers.answers import from_row
from durable_ops.api.serializers.strict import StrictSerializer, Text
from durable_ops.models import ApiKey, Right


class KeyBody(StrictSerializer):
    name = Text(max_length=MAX_NAME_LENGTH)
    user = Text(required=False, allow_null=True, default=None, max_length=150, help_text="whose rights it has; absent: yours")
    scopes = serializers.ListField(
        child=serializers.ChoiceField([right.value for right in Right]), required=False, default=list, max_length=len(Right),
        help_text="rights that it is limited to; empty: all of its person's",
    )  # fmt: skip
    functions = serializers.ListField(
        child=Text(max_length=64), required=False, default=list, max_length=MAX_PATTERNS, help_text="names or patterns; empty: all"
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    for_aws = serializers.BooleanField(required=False, default=False, help_text="also signs requests as AWS's clients do")


class RotateBody(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        required=False, default=DEFAULT_OVERLAP_HOURS, min_value=0, max_value=LONGEST_OVERLAP_HOURS, help_text="of the old key"
    )


class KeyDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    prefix = serializers.CharField(help_text="public part, as in audit rows")
    name = serializers.CharField()
    user = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    functions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="exact to a minute")
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    signs = serializers.BooleanField(help_text="it was made for AWS's clients, too")
    replaces = serializers.IntegerField(allow_null=True, help_text="id of the key that it was rotated from")


class NewKeyDocument(KeyDocument):
    key = serializers.CharField(allow_null=True, help_text="the whole key, in this answer only; null when the answer is sent again")
    access_key_id = serializers.CharField(allow_null=True, help_text="for AWS's clients; their secret access key is `key`")


def key(found: ApiKey) -> dict[str, Any]:
    return from_row(KeyDocument, found, user=found.user.get_username(), signs=bool(found.signing_secret), replaces=found.replaces_id)


def new_key(made: NewKey) -> dict[str, Any]:
    made.key.refresh_from_db(fields=["created_at"])
    return {**key(made.key), "key": made.secret, "access_key_id": made.access_key_id if made.key.signing_secret else None}
