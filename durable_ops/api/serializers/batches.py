"""Batches and what became of each execution."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import from_row
from durable_ops.models import Batch, BatchItem


class BatchItemDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    execution = serializers.UUIDField()
    name = serializers.CharField()
    outcome = serializers.ChoiceField(BatchItem.Outcome.values)
    code = serializers.CharField(allow_blank=True, help_text="why it failed, for programs")
    message = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)


class BatchDocument(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    action = serializers.ChoiceField(Batch.Act.values)
    status = serializers.ChoiceField(Batch.Status.values)
    reason = serializers.CharField(allow_blank=True)
    to_version = serializers.CharField(allow_blank=True, help_text="where a move leads")
    filters = serializers.CharField(allow_blank=True, help_text="the search that chose the set; empty: ids")
    actor = serializers.CharField()
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="by outcome")
    sample = BatchItemDocument(many=True, help_text="the first ten")
    retry_of = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


def batch(found: Batch, counts: Mapping[str, int], sample: Sequence[BatchItem]) -> dict[str, Any]:
    """`counts` by outcome; those without any are 0."""
    by_outcome = {outcome: counts.get(outcome, 0) for outcome in BatchItem.Outcome.values}
    named = {"action": found.act, "filters": found.query, "retry_of": found.retry_of_id}
    return from_row(BatchDocument, found, counts=by_outcome, sample=[batch_item(item) for item in sample], **named)


def batch_item(item: BatchItem) -> dict[str, Any]:
    return from_row(BatchItemDocument, item, execution=item.execution_id, name=item.label)
