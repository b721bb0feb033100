"""Bodies and query parameters of every route."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.strict import Anything, StrictSerializer, Text, read
from durable_ops.models import Batch, BatchItem
from durable_ops.selectors.searches import KEYS, LONGEST, ORIGINS
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.records import ErrorObject
from execution_engine.selectors.executions import MAX_PAGE
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.logs import LEVELS

MAX_NAME = 200
MAX_COMMENT = 2000


class ErrorObjectField(StrictSerializer):
    """AWS's error object; the short lower-case names say the same."""

    ErrorMessage = Text(required=False, allow_null=True, allow_blank=True)
    ErrorType = Text(required=False, allow_null=True, allow_blank=True)
    ErrorData = Text(required=False, allow_null=True, allow_blank=True)
    StackTrace = serializers.ListField(child=Text(allow_blank=True), required=False, allow_null=True)

    ALIASES = {"message": "ErrorMessage", "type": "ErrorType", "data": "ErrorData", "stack_trace": "StackTrace"}

    def to_internal_value(self, data: Any) -> ErrorObject:
        if isinstance(data, dict):
            data = {self.ALIASES.get(name, name): value for name, value in data.items()}
        return ErrorObject.from_wire(super().to_internal_value(data))


class StartBody(StrictSerializer):
    function = Text(max_length=MAX_NAME)
    version = Text(required=False, allow_null=True, max_length=MAX_NAME)
    name = Text(required=False, allow_null=True, max_length=MAX_NAME)
    input = Anything(required=False)
    attributes = serializers.DictField(child=Anything(), required=False, allow_null=True, help_text="flat: texts, numbers, booleans, null")
    concurrency_key = Text(required=False, allow_null=True, max_length=MAX_CONCURRENCY_KEY, help_text="what a limit per key counts by")
    priority = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MAX_PRIORITY, help_text="seconds of head start in the queue"
    )


class StopBody(StrictSerializer):
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    error = ErrorObjectField(required=False, allow_null=True, default=None)


class PauseBody(StrictSerializer):
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    pause_timeout = serializers.BooleanField(required=False, default=False, help_text="the execution's timeout stands still meanwhile")


class ReasonBody(StrictSerializer):
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class RedriveBody(StrictSerializer):
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    from_operation = Text(required=False, allow_null=True, max_length=MAX_NAME, help_text="id of the operation to begin with")
    result = Anything(required=False, help_text="takes the place of what from_operation had")
    input = Anything(required=False, help_text="takes the place of the execution's input")


class ForkBody(StrictSerializer):
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    from_operation = Text(required=False, allow_null=True, max_length=MAX_NAME, help_text="id of the first operation that is not kept")
    name = Text(required=False, allow_null=True, max_length=MAX_NAME)
    version = Text(required=False, allow_null=True, max_length=MAX_NAME)
    input = Anything(required=False, help_text="takes the place of the old execution's input")


class MoveBody(StrictSerializer):
    version = Text(max_length=MAX_NAME, help_text="a registered version of the same function")
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    force = serializers.BooleanField(required=False, default=False, help_text="although it does not fit; needs a reason")


class MoveQuery(StrictSerializer):
    version = Text(max_length=MAX_NAME)


class RedriveQuery(StrictSerializer):
    from_operation = Text(required=False, allow_blank=True, max_length=MAX_NAME)


class ForkQuery(RedriveQuery):
    version = Text(required=False, allow_blank=True, max_length=MAX_NAME)


class SignalBody(StrictSerializer):
    name = Text(max_length=MAX_NAME)
    payload = Anything(required=False)


class SucceedBody(StrictSerializer):
    result = Anything(required=False)


class FailBody(StrictSerializer):
    error = ErrorObjectField(required=False, allow_null=True, default=None)


class EmptyBody(StrictSerializer):
    pass


def _cursor() -> Text:
    return Text(required=False, default="", allow_blank=True, max_length=500, help_text="of `next`, as it was sent")


class PageQuery(StrictSerializer):
    cursor = _cursor()
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=MAX_PAGE)


_FLAG = ["1", "0", "true", "false"]


def _search_text(key: str) -> Text:
    return Text(required=False, allow_blank=True, max_length=LONGEST, help_text=KEYS[key])


class SearchQuery(StrictSerializer):
    """The keys of `searches.KEYS`."""

    function = _search_text("function")
    version = _search_text("version")
    status = serializers.ChoiceField([s.value for s in ExecutionStatus], required=False, allow_blank=True, help_text=KEYS["status"])
    state = serializers.ChoiceField([s.value for s in StateCode], required=False, allow_blank=True, help_text=KEYS["state"])
    name = _search_text("name")
    q = _search_text("q")
    attribute = _search_text("attribute")
    parent = serializers.UUIDField(required=False, help_text=KEYS["parent"])  # type: ignore[assignment]
    started_from = _search_text("started_from")
    started_to = _search_text("started_to")
    ended_from = _search_text("ended_from")
    ended_to = _search_text("ended_to")
    longer = _search_text("longer")
    shorter = _search_text("shorter")
    error = _search_text("error")
    correlation = _search_text("correlation")
    trace = _search_text("trace")
    callback = serializers.ChoiceField(_FLAG, required=False, allow_blank=True, help_text=KEYS["callback"])
    approval = serializers.ChoiceField(_FLAG, required=False, allow_blank=True, help_text=KEYS["approval"])
    origin = serializers.ChoiceField(list(ORIGINS), required=False, allow_blank=True, help_text=KEYS["origin"])


class ExecutionsQuery(PageQuery, SearchQuery):
    pass


class FileQuery(StrictSerializer):
    format = serializers.ChoiceField(["csv", "jsonl"], required=False, default="csv")


class ExportQuery(SearchQuery, FileQuery):
    pass


def _to_version() -> Text:
    return Text(
        required=False, default="", allow_blank=True, max_length=200, help_text="where a move leads; given at the latest to confirm it"
    )


class BatchBody(StrictSerializer):
    action = serializers.ChoiceField(Batch.Act.values)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=10_000, help_text="the executions, one by one")
    filters = serializers.DictField(child=Text(allow_blank=True, max_length=LONGEST), required=False, help_text="or all that match")
    version = _to_version()
    reason = Text(required=False, default="", allow_blank=True, max_length=1000, help_text="begins the batch; without it, a draft")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("ids")) == bool(attrs.get("filters")):
            raise serializers.ValidationError({"ids": ["Give either ids or filters."]})
        read(SearchQuery, attrs.get("filters") or {})
        return attrs


class ConfirmBatchBody(ReasonBody):
    version = _to_version()


class BatchesQuery(StrictSerializer):
    cursor = _cursor()
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=MAX_PAGE)


class BatchItemsQuery(BatchesQuery):
    outcome = serializers.ChoiceField(BatchItem.Outcome.values, required=False, default="", allow_blank=True)


class LogsQuery(StrictSerializer):
    kind = serializers.ChoiceField(["lines", "operations"], required=False, default="lines")
    operation = Text(required=False, allow_blank=True, max_length=MAX_NAME, help_text="id of the operation that said it")
    text = Text(required=False, default="", allow_blank=True, max_length=MAX_NAME, help_text="part of the message, in any case")
    level = serializers.ChoiceField(LEVELS, required=False, default="", allow_blank=True, help_text="this level and above")
    cursor = _cursor()
    limit = serializers.IntegerField(required=False, default=200, min_value=1, max_value=1000)


class HistoryQuery(StrictSerializer):
    cursor = _cursor()
    limit = serializers.IntegerField(required=False, default=1000, min_value=1, max_value=1000)
    reverse_order = serializers.BooleanField(required=False, default=False)
    include_execution_data = serializers.BooleanField(required=False, allow_null=True, default=None)


class OperationsQuery(StrictSerializer):
    cursor = _cursor()
    limit = serializers.IntegerField(required=False, default=1000, min_value=1, max_value=2000)


class CallbacksQuery(PageQuery):
    status = serializers.ChoiceField(["pending"], required=False, default="pending")
    execution = serializers.UUIDField(required=False)
