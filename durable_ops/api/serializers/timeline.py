"""Where the time of an execution went."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import plain, plain_object
from durable_ops.api.serializers.requests import MAX_NAME, PageQuery
from durable_ops.api.serializers.strict import Text
from execution_engine.core.enums import OperationStatus, OperationType
from execution_engine.selectors.segments import SegmentKind
from execution_engine.selectors.timeline import Lane, Timeline

MAX_OPENED = 50


class TimelineQuery(PageQuery):
    limit = serializers.IntegerField(required=False, default=1000, min_value=1, max_value=2000)
    open = Text(required=False, default="", allow_blank=True, max_length=MAX_OPENED * MAX_NAME, help_text="ids of contexts, by comma")


class SegmentDocument(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([one.value for one in SegmentKind])
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class LaneDocument(serializers.Serializer[Any]):
    operation_id = serializers.CharField()
    title = serializers.CharField()
    type = serializers.ChoiceField([one.value for one in OperationType])
    status = serializers.ChoiceField([one.value for one in OperationStatus])
    depth = serializers.IntegerField()
    attempts = serializers.IntegerField()
    duration = serializers.FloatField(help_text="seconds")
    segments = SegmentDocument(many=True, help_text="without gap from its start to its end, or to now")
    inside = serializers.IntegerField(help_text="operations directly inside")
    failed_inside = serializers.IntegerField()
    is_closed = serializers.BooleanField(help_text="what is inside has no lanes; name it in `open`")


class TimelineDocument(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="now, while it is open")
    is_open = serializers.BooleanField()
    totals = serializers.DictField(child=serializers.FloatField(), help_text="seconds by kind of segment")
    segments = SegmentDocument(many=True, help_text="of the execution itself")
    results = LaneDocument(many=True, help_text="operations in order of start")
    next = serializers.URLField(allow_null=True)


def timeline_head(found: Timeline) -> dict[str, Any]:
    head = plain_object({"start": found.start, "end": found.end, "is_open": found.is_open, "segments": found.segments})
    return {**head, "totals": {kind.value: plain(found.total(kind)) for kind in SegmentKind}}


def lane(one: Lane) -> dict[str, Any]:
    return {**plain(one), "duration": plain(one.duration)}
